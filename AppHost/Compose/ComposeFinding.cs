namespace UvlhubAspire.AppHost.Compose;

/// <summary>
/// Something in a compose file that could not be read or taken over: it is named to the user and never dropped in
/// silence.
/// </summary>
/// <param name="At">Where it stands.</param>
/// <param name="Service">The service that it belongs to; <see langword="null"/> for the rest of the file.</param>
/// <param name="Subject">The key, such as <c>ports</c>.</param>
/// <param name="Problem">What is wrong with it, and what happens instead.</param>
/// <param name="IsFatal">Whether the service makes no sense without it, so that it is not run at all.</param>
internal sealed record ComposeFinding(SourceLine At, string? Service, string Subject, string Problem, bool IsFatal = false)
{
    /// <inheritdoc/>
    public override string ToString() =>
        $"{At}: {(Service is null ? "" : $"{Service}: ")}{Subject}: {Problem}{(IsFatal && Service is not null && !KnownServices.Names.Contains(Service) ? ". The service is not run" : "")}";
}

/// <summary>Everything of one compose file that could not be read or taken over.</summary>
internal sealed class ComposeFindings : List<ComposeFinding>;
