namespace UvlhubAspire.AppHost.Images;

/// <summary>What an image of the checkout is called after.</summary>
internal static class CheckoutVersion
{
    private const int LongestTag = 100;
    private static readonly TimeSpan s_limit = TimeSpan.FromSeconds(10);

    /// <summary>The setting, else what <c>git describe</c> says, else <c>latest</c>; in letters that a tag may have.</summary>
    public static async Task<string> ReadAsync(UvlhubCheckout checkout, UvlhubOptions options, CancellationToken cancellationToken)
    {
        var version = options.Version is { Length: > 0 } set ? set
            : await CheckoutGit.AskAsync(checkout.Path, s_limit, cancellationToken, "describe", "--tags", "--always", "--dirty");
        var tag = Names.Clean(version ?? "", '-', "_.-").TrimStart('.', '-');
        return tag.Length == 0 ? "latest" : tag[..Math.Min(tag.Length, LongestTag)];
    }
}
