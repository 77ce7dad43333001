using UvlhubAspire.AppHost.Uvlhub;

namespace UvlhubAspire.AppHost.Production;

/// <summary>What is known of the site's certificate.</summary>
internal sealed record CertificateState
{
    /// <summary>When the certificate ends; <see langword="null"/> while there is none.</summary>
    public DateTimeOffset? Ends { get; init; }

    /// <summary>When it is asked for again.</summary>
    public DateTimeOffset? Next { get; init; }

    /// <summary>Why the last attempt failed; <see langword="null"/> if it did not.</summary>
    public string? Failure { get; init; }

    /// <summary>How many attempts have failed in a row.</summary>
    public int Failures { get; init; }

    /// <summary>Whether a certificate has to be asked for now.</summary>
    public bool IsDue(DateTimeOffset now, TlsSettings settings) => Ends is not { } ends || ends - settings.RenewBefore <= now;

    /// <summary>
    /// When it is looked at again: when it is due, but at least every <see cref="TlsSettings.CheckEvery"/>; after a failure
    /// in five minutes, then twice that, up to six hours, because authorities count failures and close the door.
    /// </summary>
    public DateTimeOffset NextLook(DateTimeOffset now, TlsSettings settings)
    {
        if (Failures > 0)
        {
            var pause = TimeSpan.FromMinutes(5 * Math.Pow(2, Math.Min(Failures - 1, 10)));
            return now + (pause < TimeSpan.FromHours(6) ? pause : TimeSpan.FromHours(6));
        }

        var check = now + settings.CheckEvery;
        return Ends is { } ends && ends - settings.RenewBefore > now && ends - settings.RenewBefore < check
            ? ends - settings.RenewBefore
            : check;
    }
}
