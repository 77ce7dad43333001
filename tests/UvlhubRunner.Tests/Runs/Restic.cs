using CliWrap;
using CliWrap.Buffered;
using Xunit;

namespace UvlhubAspire.UvlhubRunner.Tests.Runs;

/// <summary>The stand-in's restic, on this machine.</summary>
public sealed class Restic : IAsyncLifetime
{
    private readonly TemporaryFolder _folder = new();

    private string Program => Path.Combine(_folder.Path, "restic");

    public async ValueTask InitializeAsync()
    {
        await using var container = await TestContainer.StartAsync("operator", command: ["sleep", "infinity"]);
        await TestContainer.DockerAsync("cp", $"{container.Name}:/usr/bin/restic", Program);
    }

    /// <summary>Has a runner find it, and keep backups.</summary>
    internal void Serve(Minihub minihub, string repository)
    {
        minihub.Settings["PATH"] = $"{_folder.Path}:{System.Environment.GetEnvironmentVariable("PATH")}";
        minihub.Settings["RESTIC_CACHE_DIR"] = Path.Combine(_folder.Path, "cache");
        minihub.Settings["Uvlhub__Backups__Repository"] = repository;
        minihub.Settings["RESTIC_PASSWORD"] = "the right one";
    }

    /// <summary>Runs it as a person does, with what a runner has.</summary>
    internal async Task<string> RunAsync(Minihub minihub, params string[] words) => (await Cli.Wrap(Program)
        .WithArguments(["--repo", minihub.Settings["Uvlhub__Backups__Repository"], .. words])
        .WithEnvironmentVariables(minihub.Settings.ToDictionary(setting => setting.Key, string? (setting) => setting.Value))
        .ExecuteBufferedAsync(TestContext.Current.CancellationToken)).StandardOutput;

    public ValueTask DisposeAsync()
    {
        _folder.Dispose();
        return ValueTask.CompletedTask;
    }
}
