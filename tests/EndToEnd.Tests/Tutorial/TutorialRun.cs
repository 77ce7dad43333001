using System.Globalization;
using System.Text;
using System.Text.RegularExpressions;
using CliWrap;
using UvlhubAspire.AppHost.Preflight;
using UvlhubAspire.AppHost.Release;
using UvlhubAspire.Checkout;

namespace UvlhubAspire.EndToEnd.Tests.Tutorial;

/// <summary>
/// Follows the tutorial in a fresh clone. So that it runs beside another uvlhub, the containers, the network, the volume
/// and the ports get other names than the text has; they are put in before a command runs, and taken out of what it prints.
/// </summary>
internal sealed class TutorialRun : IAsyncDisposable
{
    private static readonly TimeSpan s_commandLimit = TimeSpan.FromMinutes(10);
    private readonly FreshClone _clone;
    private readonly string _instance = Uvlhub.NewInstance();
    private readonly string _snapshots = Directory.CreateTempSubdirectory("uvlhub-aspire-tutorial-").FullName;
    private readonly int _web = FreePorts.Next();
    private readonly int _nginx = FreePorts.Next();
    private readonly int _dashboard = FreePorts.Next();
    private readonly int _database = FreePorts.Next();

    private TutorialRun(FreshClone clone) => _clone = clone;

    public static async Task<TutorialRun> StartAsync(CancellationToken cancellationToken)
    {
        var run = new TutorialRun(await FreshClone.MakeAsync(cancellationToken));
        await run._clone.CommitAsync(cancellationToken);
        return run;
    }

    /// <summary>Replaces a file of the clone, as the reader does.</summary>
    public Task WriteAsync(string file, string text, CancellationToken cancellationToken) =>
        File.WriteAllTextAsync(Path.Combine(_clone.Path, file), $"{text}\n", cancellationToken);

    /// <summary>Types a command in the clone's folder.</summary>
    /// <returns>Its exit code, and what it printed in the text's names.</returns>
    public async Task<(int ExitCode, string Printed)> TypeAsync(string command, CancellationToken cancellationToken)
    {
        for (var attempt = 1; ; attempt++)
        {
            var outcome = await TypeOnceAsync(command, cancellationToken);
            // Aspire's command line asks for a short while only, and an AppHost on a busy machine may be slower. A person types it again.
            if (outcome.ExitCode == 0 || attempt == 5 || !outcome.Printed.Contains("No running AppHosts found", StringComparison.Ordinal))
            {
                return outcome;
            }

            await Task.Delay(TimeSpan.FromSeconds(2), cancellationToken);
        }
    }

    private async Task<(int ExitCode, string Printed)> TypeOnceAsync(string command, CancellationToken cancellationToken)
    {
        var printed = new StringBuilder();
        using var limit = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        limit.CancelAfter(s_commandLimit);
        var result = await Cli.Wrap("bash")
            .WithArguments(["-c", $"exec 2>&1\n{WithOwnNames(command)}"])
            .WithWorkingDirectory(_clone.Path)
            .WithEnvironmentVariables(Settings())
            .WithStandardOutputPipe(PipeTarget.ToStringBuilder(printed))
            .WithValidation(CommandResultValidation.None)
            .ExecuteAsync(limit.Token);
        return (result.ExitCode, WithTheTextsNames(TutorialCommand.Readable(printed.ToString())));
    }

    public async ValueTask DisposeAsync()
    {
        await TypeAsync("./run --stop", CancellationToken.None);
        await Uvlhub.RemoveVolumesAsync(_instance);
        var images = $"uvlhub-aspire/checkout-minihub-{SiteImages.Digest(Path.Combine(_clone.Path, "samples", "minihub"))}*";
        await TypeAsync($"docker image ls --format '{{{{.Repository}}}}:{{{{.Tag}}}}' '{images}' | xargs --no-run-if-empty docker image rm", CancellationToken.None);
        Directory.Delete(_snapshots, recursive: true);
        _clone.Dispose();
    }

    private Dictionary<string, string?> Settings() => new()
    {
        ["Uvlhub__Instance"] = _instance,
        ["Uvlhub__Snapshots__Path"] = _snapshots,
        ["Uvlhub__Ports__Web"] = _web.ToString(CultureInfo.InvariantCulture),
        ["Uvlhub__Ports__Nginx"] = _nginx.ToString(CultureInfo.InvariantCulture),
        ["Uvlhub__Ports__Dashboard"] = _dashboard.ToString(CultureInfo.InvariantCulture),
        ["Uvlhub__Ports__Database"] = _database.ToString(CultureInfo.InvariantCulture),
        // ./test sets it for models that it builds itself.
        ["DOTNET_hostBuilder__reloadConfigOnChange"] = null,
    };

    // The text's names are those of an instance without a name.
    private string WithOwnNames(string text)
    {
        var names = new InstanceNames(null);
        string[] known = [names.DatabaseContainer, names.WebContainer, names.ToolboxContainer, names.MigratorContainer, names.ServiceContainer("nginx_web_server_container"), names.DataVolume("minihub")];
        text = Regex.Replace(text, $@"\b(?:{string.Join('|', known)}|{names.Network})", match => $"{_instance}_{match.Value}");
        return Regex.Replace(text, @"\blocalhost(?::(\d+))?/", match => $"localhost:{Port(match.Groups[1].Value)}/");
    }

    private string WithTheTextsNames(string printed) =>
        new[] { (_web, ":5000"), (_nginx, ""), (_dashboard, ":15888"), (_database, ":3306") }
            .Aggregate(printed.Replace($"{_instance}_", "", StringComparison.Ordinal), (text, port) =>
                Regex.Replace(text, $@"\b(localhost|127\.0\.0\.1):{port.Item1}\b", $"$1{port.Item2}"));

    private string Port(string port) => port switch
    {
        "" => _nginx.ToString(CultureInfo.InvariantCulture),
        "5000" => _web.ToString(CultureInfo.InvariantCulture),
        "15888" => _dashboard.ToString(CultureInfo.InvariantCulture),
        _ => port,
    };
}
