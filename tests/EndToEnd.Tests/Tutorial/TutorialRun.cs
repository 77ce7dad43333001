using System.Diagnostics;
using System.Globalization;
using System.Text;
using System.Text.RegularExpressions;
using CliWrap;
using UvlhubAspire.Checkout;
using UvlhubAspire.Engine;
using UvlhubAspire.Hosting.Containers;
using Xunit;

namespace UvlhubAspire.EndToEnd.Tests.Tutorial;

/// <summary>
/// Follows the tutorial in a fresh clone. So that it runs beside another uvlhub, the containers, the network, the volumes
/// and the ports get other names than the text has; they are put in before a command runs, and taken out of what it prints.
/// </summary>
internal sealed partial class TutorialRun : IAsyncDisposable
{
    private static readonly TimeSpan s_commandLimit = TimeSpan.FromMinutes(10);
    private static readonly TimeSpan s_engineLimit = TimeSpan.FromSeconds(30);
    private readonly FreshClone _clone;
    private readonly string? _instance;
    private readonly string _snapshots = Directory.CreateTempSubdirectory("uvlhub-aspire-tutorial-").FullName;
    private readonly TextPort[] _ports =
    [
        new("Web", "http", ":5000"), new("Nginx", "http", ""), new(
            "Dashboard", "http", ":15888"), new("Database", "tcp", ":3306"),
    ];

    private IReadOnlyList<string> _volumesBefore = [];

    private TutorialRun(FreshClone clone, string? instance) => (_clone, _instance) = (clone, instance);

    /// <summary>Where the clone is.</summary>
    public string Folder => _clone.Path;

    /// <summary>Makes a clone to follow the tutorial in.</summary>
    /// <param name="cancellationToken">Ends it.</param>
    /// <param name="folder">
    /// The clone's folder; names and ports are then those of the text, and must be free. Default: a folder, names and ports of its own.
    /// </param>
    public static async Task<TutorialRun> StartAsync(CancellationToken cancellationToken, string? folder = null)
    {
        var run = new TutorialRun(await FreshClone.MakeAsync(cancellationToken, folder), folder is null ? Uvlhub.NewInstance() : null);
        run._volumesBefore = await VolumesAsync();
        await run._clone.CommitAsync(cancellationToken);
        return run;
    }

    /// <summary>Does what the pages of a language say, from the first line to the last.</summary>
    /// <param name="language">The language.</param>
    /// <param name="picture">Called where a page shows a picture, with its file's name.</param>
    /// <param name="cancellationToken">Ends it.</param>
    public async Task FollowAsync(string language, Func<string, Task> picture, CancellationToken cancellationToken)
    {
        foreach (var page in TutorialPage.ReadAll(language))
        {
            var steps = page.Blocks.Where(block => block.NotRun is null)
                .Select(block => (block.Line, Do: (Func<Task>)(() => DoAsync(block, cancellationToken))))
                .Concat(page.Pictures.Select(shown => (shown.Line, Do: (Func<Task>)(() => picture(shown.File)))));
            foreach (var step in steps.OrderBy(step => step.Line))
            {
                await step.Do();
            }
        }
    }

    private async Task DoAsync(TutorialBlock block, CancellationToken cancellationToken)
    {
        if (block.File is { } file)
        {
            await File.WriteAllTextAsync(Path.Combine(_clone.Path, file), $"{block.Text}\n", cancellationToken);
        }
        else if (block.Language == "console")
        {
            foreach (var command in block.Commands())
            {
                var started = Stopwatch.GetTimestamp();
                var (exitCode, printed) = await TypeAsync(command.Text, cancellationToken);
                // So that a run which was cut off says how far it came, and where the time went.
                TestContext.Current.TestOutputHelper?.WriteLine($"{Stopwatch.GetElapsedTime(started).TotalSeconds,6:0.0} s  {command.At}");
                Assert.True(
                    exitCode == 0 && command.Allows(printed),
                    $"{command.At}: '{command.Text}' ended with {exitCode} and printed\n{printed}\nwhere the page "
                    + $"says\n{string.Join('\n', command.Output)}");
            }
        }
    }

    /// <summary>The address at which the dashboard of the clone's AppHost lets one in, as 'aspire ps' knows it.</summary>
    public async Task<string> DashboardLoginUrlAsync(CancellationToken cancellationToken)
    {
        var (exitCode, printed) = await TypeAsync("dotnet aspire ps --format json", cancellationToken);
        Assert.True(
            exitCode == 0
                && printed.Contains(Folder, StringComparison.Ordinal), $"'dotnet aspire ps' ended with {exitCode} and printed\n{printed}");
        return DashboardUrlPattern().Matches(printed[printed.IndexOf(Folder, StringComparison.Ordinal)..]).First().Value;
    }

    /// <summary>Types a command in the clone's folder.</summary>
    /// <returns>Its exit code, and what it printed in the text's names.</returns>
    public async Task<(int ExitCode, string Printed)> TypeAsync(string command, CancellationToken cancellationToken)
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
        try
        {
            await TypeAsync("./run --stop", CancellationToken.None);
            await RemoveAsync();
        }
        finally
        {
            Directory.Delete(_snapshots, recursive: true);
            _clone.Dispose();
        }
    }

    private async Task RemoveAsync()
    {
        if (_instance is not null)
        {
            // Where the following ended in the middle of a start, the orchestrator is still removing its containers.
            await Uvlhub.RemoveLeftoversAsync(_instance);
        }

        foreach (var volume in (await VolumesAsync()).Except(_volumesBefore)
            .Where(
                volume => volume.StartsWith($"{_instance}_", StringComparison.Ordinal)
                || (_instance is null && OwnVolumePattern().IsMatch(volume))))
        {
            await EngineAsync("volume", "rm", volume);
        }

        var images = await EngineAsync(
            "image", "ls", "--format", "{{.Repository}}:{{.Tag}}",
            $"uvlhub-aspire/checkout-minihub-{Names.Digest(Path.Combine(_clone.Path, "samples", "minihub"), 8)}*");
        foreach (var image in images.Split('\n', StringSplitOptions.RemoveEmptyEntries))
        {
            await EngineAsync("image", "rm", image);
        }
    }

    private static async Task<IReadOnlyList<string>> VolumesAsync() =>
        (await EngineAsync("volume", "ls", "--quiet")).Split('\n', StringSplitOptions.RemoveEmptyEntries);

    private static Task<string> EngineAsync(params string[] words) => Uvlhub.EngineAsync(s_engineLimit, CancellationToken.None, words);

    private Dictionary<string, string?> Settings()
    {
        var settings = new Dictionary<string, string?>(FreshClone.Settings)
        {
            ["Uvlhub__Snapshots__Path"] = _snapshots,
            // ./test sets it for models that it builds itself.
            ["DOTNET_hostBuilder__reloadConfigOnChange"] = null,
        };
        if (_instance is not null)
        {
            settings["Uvlhub__Instance"] = _instance;
            foreach (var port in _ports)
            {
                settings[$"Uvlhub__Ports__{port.Setting}"] = port.Own.ToString(CultureInfo.InvariantCulture);
            }
        }

        return settings;
    }

    // The text's names are those of an instance without a name.
    private string WithOwnNames(string text)
    {
        if (_instance is null)
        {
            return text;
        }

        var names = new InstanceNames(null);
        string[] known =
        [
            names.DatabaseContainer, names.WebContainer, names.ToolboxContainer, names.MigratorContainer,
            names.ServiceContainer("nginx_web_server_container"), names.DataVolume("minihub"), names.Network,
        ];
        text = Regex.Replace(text, $@"\b(?:{string.Join('|', known)})", match => $"{_instance}_{match.Value}");
        return _ports.Aggregate(
            text, (result, port) => Regex.Replace(result, $@"\b{port.InText}/", $"{port.Scheme}://localhost:{port.Own}/"));
    }

    private string WithTheTextsNames(string printed) => _instance is null ? printed
        : _ports.Aggregate(printed.Replace($"{_instance}_", "", StringComparison.Ordinal), (result, port) =>
            Regex.Replace(result, $@"\b(localhost|127\.0\.0\.1):{port.Own}\b", $"$1{port.Suffix}"));

    [GeneratedRegex(@"http://localhost:\d+/login\?t=\w+")]
    private static partial Regex DashboardUrlPattern();

    // Of a run with the text's own names.
    [GeneratedRegex("^[a-z_]+_minihub(_production)?$")]
    private static partial Regex OwnVolumePattern();

    /// <summary>A port of the host.</summary>
    /// <param name="Setting">Its setting's name.</param>
    /// <param name="Scheme">How it is spoken to.</param>
    /// <param name="Suffix">What the text has behind the host's name.</param>
    private sealed record TextPort(string Setting, string Scheme, string Suffix)
    {
        /// <summary>The port of this run.</summary>
        public int Own { get; } = FreePorts.Next();

        /// <summary>How the text's addresses begin.</summary>
        public string InText => $"{Scheme}://localhost{Suffix}";
    }
}
