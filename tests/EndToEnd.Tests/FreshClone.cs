using System.Text;
using CliWrap;
using CliWrap.Buffered;
using UvlhubAspire.Checkout;
using Xunit;

namespace UvlhubAspire.EndToEnd.Tests;

/// <summary>The repository's files in an empty folder, as a new user has them after cloning; its commands are what is tested.</summary>
public sealed class FreshClone : IDisposable
{
    private static readonly TimeSpan s_endLimit = TimeSpan.FromMinutes(2);

    /// <summary>
    /// What its commands are run with: a migrator of machine code takes a minute of both cores, and the tests' own build
    /// has one.
    /// </summary>
    public static IReadOnlyDictionary<string, string?> Settings { get; } = new Dictionary<string, string?> { ["PublishAot"] = "false" };

    private readonly DirectoryInfo _folder;

    private FreshClone(DirectoryInfo folder) => _folder = folder;

    /// <summary>Where it is.</summary>
    public string Path => _folder.FullName;

    /// <summary>Copies the files.</summary>
    /// <param name="cancellationToken">Ends the copying.</param>
    /// <param name="folder">Where to; it must not exist. Default: a folder of its own.</param>
    public static async Task<FreshClone> MakeAsync(CancellationToken cancellationToken, string? folder = null)
    {
        if (Directory.Exists(folder))
        {
            throw new IOException($"{folder} exists; move it away");
        }

        var clone = new FreshClone(
            folder is null ? Directory.CreateTempSubdirectory("uvlhub-aspire-clone-") : Directory.CreateDirectory(folder));
        var repository = System.IO.Path.GetDirectoryName(RepositoryFolder.Images)!;
        var files = await Cli.Wrap("git")
            .WithArguments(["ls-files", "-z", "--cached", "--others", "--exclude-standard"])
            .WithWorkingDirectory(repository)
            .ExecuteBufferedAsync(cancellationToken);
        foreach (var file in files.StandardOutput.Split('\0', StringSplitOptions.RemoveEmptyEntries)
            .Where(file => File.Exists(System.IO.Path.Combine(repository, file))))
        {
            var target = System.IO.Path.Combine(clone._folder.FullName, file);
            Directory.CreateDirectory(System.IO.Path.GetDirectoryName(target)!);
            File.Copy(System.IO.Path.Combine(repository, file), target);
        }

        return clone;
    }

    /// <summary>Gives it what a clone has and a copy has not: git knows its files, and which of them were changed.</summary>
    public async Task CommitAsync(CancellationToken cancellationToken)
    {
        string[] author = ["-c", "user.name=tutorial", "-c", "user.email=tutorial@localhost"];
        foreach (var arguments in (string[][])[
            ["init", "--quiet"], ["add", "--all"], [.. author, "commit", "--quiet", "--message", "Everything"],
        ])
        {
            await Cli.Wrap("git").WithArguments(arguments).WithWorkingDirectory(_folder.FullName).ExecuteBufferedAsync(cancellationToken);
        }
    }

    /// <summary>Runs a command in the clone and returns how it ended.</summary>
    public async Task<BufferedCommandResult> ExecuteAsync(string command, string[] arguments, CancellationToken cancellationToken) =>
        await Cli.Wrap(
            command.StartsWith("./", StringComparison.Ordinal) ? System.IO.Path.Combine(_folder.FullName, command[2..]) : command)
            .WithArguments(arguments)
            .WithWorkingDirectory(_folder.FullName)
            .WithEnvironmentVariables(Settings)
            .WithValidation(CommandResultValidation.None)
            .ExecuteBufferedAsync(cancellationToken);

    /// <summary>Runs a command in the clone until it has printed a text, then presses Ctrl+C; it has to end as it is asked to.</summary>
    /// <param name="meanwhile">What is done between the two.</param>
    public async Task InterruptAsync(
        string command, string[] arguments, string until, CancellationToken cancellationToken, Func<Task>? meanwhile = null)
    {
        var output = new StringBuilder();
        var printed = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        // timeout passes the signal on to the whole process group, as a terminal does, and kills what does not end of it.
        var run = Cli.Wrap("timeout")
            .WithArguments(["--kill-after=30", "600", System.IO.Path.Combine(_folder.FullName, command), .. arguments])
            .WithWorkingDirectory(_folder.FullName)
            .WithEnvironmentVariables(Settings)
            .WithStandardOutputPipe(PipeTarget.ToDelegate(Add))
            .WithStandardErrorPipe(PipeTarget.ToDelegate(Add))
            .WithValidation(CommandResultValidation.None)
            .ExecuteAsync(cancellationToken);
        if (await Task.WhenAny(printed.Task, run.Task) == printed.Task)
        {
            try
            {
                await (meanwhile?.Invoke() ?? Task.CompletedTask);
            }
            finally
            {
                await Cli.Wrap("kill").WithArguments(["-INT", $"{run.ProcessId}"]).ExecuteAsync(CancellationToken.None);
            }
        }

        var ended = await run;
        lock (output)
        {
            Assert.True(printed.Task.IsCompleted, $"{command} ended with {ended.ExitCode} without saying '{until}':\n{output}");
            Assert.True(ended.ExitCode == 0, $"Ctrl+C ended {command} with {ended.ExitCode}:\n{output}");
        }

        void Add(string line)
        {
            lock (output)
            {
                output.AppendLine(line);
            }

            if (line.Contains(until, StringComparison.Ordinal))
            {
                printed.TrySetResult();
            }
        }
    }

    /// <summary>Ends what runs detached, if anything does.</summary>
    public async Task StopAsync()
    {
        using var limit = new CancellationTokenSource(s_endLimit);
        await ExecuteAsync("./run", ["--stop"], limit.Token);
    }

    public void Dispose() => _folder.Delete(recursive: true);
}

/// <summary>The scripts are tested one after the other in one clone: the first of them builds it, as a new user's does.</summary>
[CollectionDefinition(Name)]
public sealed class ScriptsGroup : ICollectionFixture<ClonedRepository>
{
    public const string Name = "Scripts";
}

/// <summary>One clone for the tests of all scripts.</summary>
public sealed class ClonedRepository : IAsyncLifetime
{
    private FreshClone? _clone;

    public FreshClone Clone => _clone ?? throw new InvalidOperationException("not made");

    public async ValueTask InitializeAsync() => _clone = await FreshClone.MakeAsync(TestContext.Current.CancellationToken);

    public ValueTask DisposeAsync()
    {
        _clone?.Dispose();
        return ValueTask.CompletedTask;
    }
}
