using System.Runtime.InteropServices;
using CliWrap;
using CliWrap.Exceptions;
using Microsoft.Extensions.Logging;

namespace UvlhubAspire.AppHost.Images;

/// <summary>
/// UvlhubRunner with the whole of .NET beside it, for the image that migrates: the image's base knows Python, not .NET.
/// </summary>
internal static class RunnerPublish
{
    private static readonly TimeSpan s_limit = TimeSpan.FromMinutes(5);
    private static volatile bool s_isPublished;

    /// <summary>The folder with the program; it exists after <see cref="EnsureAsync"/>.</summary>
    public static string Folder => Path.Combine(Artifacts, "app");

    private static string Artifacts => Path.Combine(RepositoryFolder.AppHost, "obj", "uvlhub-runner", Runtime);

    private static string Runtime => RuntimeInformation.OSArchitecture == Architecture.Arm64 ? "linux-arm64" : "linux-x64";

    /// <summary>Publishes the program, once in the life of the AppHost; what has not changed is not compiled again.</summary>
    /// <exception cref="ImageException">It cannot be published; the message holds the compiler's last lines.</exception>
    public static async Task EnsureAsync(ILogger logger, CancellationToken cancellationToken)
    {
        if (s_isPublished)
        {
            return;
        }

        using var limit = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        limit.CancelAfter(s_limit);
        var tail = new OutputTail(line => ImageLog.BuildOutput(logger, line));
        try
        {
            // Two AppHosts that start at once would compile into the same folder.
            using var alone = await FileLock.EnterAsync(Path.Combine(Artifacts, ".lock"), limit.Token);
            await Cli.Wrap(Environment.GetEnvironmentVariable("DOTNET_HOST_PATH") ?? "dotnet")
                // A folder of its own for everything: the ordinary build has another target, and may run at the same time.
                // Not to machine code: that would want this machine's C library in the image, which may be older.
                .WithArguments(["publish", RepositoryFolder.Runner, "--configuration", "Release", "--runtime", Runtime, "--self-contained",
                    "--artifacts-path", Artifacts, "--output", Folder, "--nologo", "-p:PublishAot=false", "-p:RunAnalyzers=false",
                    "-p:UseSharedCompilation=false", "-nodeReuse:false"])
                .WithEnvironmentVariables(environment => environment.Set("MSBUILDTERMINALLOGGER", "off"))
                .WithStandardOutputPipe(PipeTarget.ToDelegate(tail.Add))
                .WithStandardErrorPipe(PipeTarget.ToDelegate(tail.Add))
                .ExecuteAsync(limit.Token);
            s_isPublished = true;
        }
        catch (Exception exception) when (exception is CliWrapException or System.ComponentModel.Win32Exception
            || (exception is OperationCanceledException && !cancellationToken.IsCancellationRequested))
        {
            throw ImageException.NotBuilt(
                "with UvlhubRunner",
                $"'dotnet publish UvlhubRunner' {(exception is OperationCanceledException ? $"was not done within {s_limit.TotalMinutes:0} minutes" : "failed")}:{Environment.NewLine}{tail}");
        }
    }
}
