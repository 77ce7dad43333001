using CliWrap;
using CliWrap.Buffered;
using CliWrap.Exceptions;

namespace UvlhubAspire.AppHost.Images;

/// <summary>What an image of the checkout is called after.</summary>
internal static class CheckoutVersion
{
    private const int LongestTag = 100;
    private static readonly TimeSpan s_limit = TimeSpan.FromSeconds(10);

    /// <summary>The setting, else what <c>git describe</c> says, else <c>latest</c>; in letters that a tag may have.</summary>
    public static async Task<string> ReadAsync(UvlhubCheckout checkout, UvlhubOptions options, CancellationToken cancellationToken)
    {
        var version = options.Version is { Length: > 0 } set ? set : await DescribeAsync(checkout.Path, cancellationToken);
        var tag = Names.Clean(version ?? "", '-', "_.-").TrimStart('.', '-');
        return tag.Length == 0 ? "latest" : tag[..Math.Min(tag.Length, LongestTag)];
    }

    private static async Task<string?> DescribeAsync(string path, CancellationToken cancellationToken)
    {
        using var limit = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        limit.CancelAfter(s_limit);
        try
        {
            // A checkout may belong to somebody else, as a mounted one does; git reads such only when told to.
            var described = await Cli.Wrap("git")
                .WithArguments(["-c", $"safe.directory={path}", "-C", path, "describe", "--tags", "--always", "--dirty"])
                .WithValidation(CommandResultValidation.None)
                .ExecuteBufferedAsync(limit.Token);
            return described.ExitCode == 0 ? described.StandardOutput.Trim() : null;
        }
        catch (Exception exception) when (exception is System.ComponentModel.Win32Exception or CliWrapException
            || (exception is OperationCanceledException && !cancellationToken.IsCancellationRequested))
        {
            return null;
        }
    }
}
