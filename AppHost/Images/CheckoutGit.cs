using CliWrap;
using CliWrap.Buffered;

namespace UvlhubAspire.AppHost.Images;

/// <summary>
/// Git, asked about a checkout that somebody else may have made: what its own configuration would have git run (a file system monitor,
/// filters, hooks, an ssh of its own) is not run.
/// </summary>
internal static class CheckoutGit
{
    /// <summary>A question that changes nothing. Of the repository it sees objects, references and the index, and no configuration.</summary>
    /// <param name="checkout">The checkout.</param>
    /// <param name="limit">How long it may take.</param>
    /// <param name="cancellationToken">Ends it.</param>
    /// <param name="words">The words of the question.</param>
    /// <returns>The answer; <see langword="null"/> if there is none: no repository, no git, or none in time.</returns>
    public static async Task<string?> AskAsync(
        string checkout, TimeSpan limit, CancellationToken cancellationToken, params string[] words)
    {
        using var end = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        end.CancelAfter(limit);
        // A checkout may be a folder of a larger repository, as the bundled sample is.
        var root = checkout;
        while (root is not null && !Path.Exists(Path.Combine(root, ".git")))
        {
            root = Path.GetDirectoryName(root);
        }

        DirectoryInfo? bare = null;
        try
        {
            if (root is null || Locate(root) is not var (repository, shared))
            {
                return null;
            }

            bare = WithoutConfiguration(repository, shared);
            var asked = await Cli.Wrap("git")
                .WithArguments([$"--git-dir={bare.FullName}", $"--work-tree={root}", .. words])
                .WithWorkingDirectory(checkout)
                .WithEnvironmentVariables(environment => environment
                    .Set("GIT_OBJECT_DIRECTORY", Path.Combine(shared, "objects")).Set("GIT_OPTIONAL_LOCKS", "0")
                    .Set("GIT_CONFIG_NOSYSTEM", "1").Set("GIT_CONFIG_GLOBAL", "/dev/null").Set("LC_ALL", "C"))
                .WithValidation(CommandResultValidation.None)
                .ExecuteBufferedAsync(end.Token);
            return asked.ExitCode == 0 ? asked.StandardOutput.Trim() : null;
        }
        catch (Exception exception) when (exception is System.ComponentModel.Win32Exception or CliWrap.Exceptions.CliWrapException
            or IOException or UnauthorizedAccessException
            || (exception is OperationCanceledException && !cancellationToken.IsCancellationRequested))
        {
            return null;
        }
        finally
        {
            bare?.Delete(recursive: true);
        }
    }

    // Where the repository is; a worktree has a HEAD and an index of its own, and shares the rest.
    private static (string Repository, string Shared)? Locate(string root)
    {
        var repository = Path.Combine(root, ".git");
        if (File.Exists(repository))
        {
            const string Link = "gitdir: ";
            var text = File.ReadAllText(repository);
            if (!text.StartsWith(Link, StringComparison.Ordinal))
            {
                return null;
            }

            repository = Path.GetFullPath(text[Link.Length..].Trim(), root);
        }

        if (!File.Exists(Path.Combine(repository, "HEAD")))
        {
            return null;
        }

        var common = Path.Combine(repository, "commondir");
        return (repository, File.Exists(common) ? Path.GetFullPath(File.ReadAllText(common).Trim(), repository) : repository);
    }

    // A repository whose content is the checkout's, and whose configuration says how that is stored and nothing else.
    private static DirectoryInfo WithoutConfiguration(string repository, string shared)
    {
        var bare = Directory.CreateTempSubdirectory("uvlhub-aspire-git-");
        // Git takes a HEAD that is a link for something else.
        File.Copy(Path.Combine(repository, "HEAD"), Path.Combine(bare.FullName, "HEAD"));
        foreach (var original in ((string[])["refs", "packed-refs", "reftable", "shallow"]).Select(name => Path.Combine(shared, name))
            .Append(Path.Combine(repository, "index")).Where(Path.Exists))
        {
            File.CreateSymbolicLink(Path.Combine(bare.FullName, Path.GetFileName(original)), original);
        }

        var stored = File.ReadLines(Path.Combine(shared, "config"))
            .Select(line => string.Concat(line.Where(c => !char.IsWhiteSpace(c))).ToLowerInvariant())
            .Where(line => line is "objectformat=sha256" or "refstorage=reftable")
            .ToList();
        File.WriteAllLines(
            Path.Combine(bare.FullName, "config"),
            ["[core]", $"repositoryformatversion = {(stored.Count > 0 ? 1 : 0)}", "[extensions]", .. stored]);
        return bare;
    }
}
