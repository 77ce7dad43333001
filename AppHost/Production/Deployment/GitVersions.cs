using CliWrap.Buffered;
using CliWrap.Exceptions;
using UvlhubAspire.AppHost.Images;

namespace UvlhubAspire.AppHost.Production;

/// <summary>
/// New commits of the checkout's branch. Only forward, so that no commit of this machine is lost, and what is not
/// committed stays or stops it.
/// </summary>
internal sealed class GitVersions(string checkout) : IVersionSource
{
    private static readonly TimeSpan s_limit = TimeSpan.FromMinutes(5);

    public async Task<VersionChange> TakeAsync(CancellationToken cancellationToken)
    {
        var before = await HeadAsync(cancellationToken);
        await GitAsync(cancellationToken, "pull", "--ff-only");
        return new VersionChange(before, await HeadAsync(cancellationToken));
    }

    public async Task<string?> PutBackAsync(VersionChange change, CancellationToken cancellationToken)
    {
        if (!change.IsNew)
        {
            return null;
        }

        try
        {
            // It gives up where it would touch what is not committed.
            await GitAsync(cancellationToken, "reset", "--keep", change.Before);
            return null;
        }
        catch (DeploymentException failure)
        {
            return failure.Message;
        }
    }

    private Task<string> HeadAsync(CancellationToken cancellationToken) => GitAsync(cancellationToken, "rev-parse", "HEAD");

    private async Task<string> GitAsync(CancellationToken cancellationToken, params string[] words)
    {
        using var limit = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        limit.CancelAfter(s_limit);
        var command = $"'git {string.Join(' ', words)}' in {checkout}";
        try
        {
            var result = await CheckoutGit.Change(checkout, words).ExecuteBufferedAsync(limit.Token);
            return result.ExitCode == 0 ? result.StandardOutput.Trim()
                : throw new DeploymentException($"{command} failed: {Reason(result.StandardError)}");
        }
        catch (Exception exception) when (exception is System.ComponentModel.Win32Exception or CliWrapException)
        {
            throw new DeploymentException($"{command} failed: {exception.Message}");
        }
        catch (OperationCanceledException) when (!cancellationToken.IsCancellationRequested)
        {
            throw new DeploymentException($"{command} was not done within {s_limit.TotalMinutes:0} minutes");
        }
    }

    // What git prints before is what it did, and its last line may be 'Aborting' alone.
    private static string Reason(string output)
    {
        var lines = output.Split('\n', StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries);
        var cause = Array.FindIndex(
            lines, line => line.StartsWith("error:", StringComparison.Ordinal) || line.StartsWith("fatal:", StringComparison.Ordinal));
        return cause < 0
            ? lines.LastOrDefault() ?? "it gave no reason"
            : string.Join(' ', lines[cause..].Where(line => !line.StartsWith("hint:", StringComparison.Ordinal)));
    }
}
