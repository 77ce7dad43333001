using System.Collections.Concurrent;
using System.Diagnostics;
using System.Text.Json.Nodes;
using CliWrap;
using UvlhubAspire.Checkout;

namespace UvlhubAspire.Bench;

/// <summary>Our side: the built AppHost, started with what its launch profile says, as an instance of its own.</summary>
/// <param name="name">The instance.</param>
/// <param name="checkout">The copy of the checkout.</param>
/// <param name="services">The services beside the site and the database.</param>
internal sealed class AppHostContestant(string name, UvlhubCheckout checkout, IReadOnlyList<string> services) : Contestant(name, checkout)
{
    private static readonly string s_run = Path.Combine(Path.GetDirectoryName(RepositoryFolder.AppHost)!, "run");
    private readonly ConcurrentQueue<(double Seconds, string Line)> _output = new();
    private CancellationTokenSource? _stop;
    private CommandTask<CommandResult>? _running;
    private bool _isDetached;

    /// <inheritdoc/>
    public override string DatabaseContainer => $"{Name}_mariadb_container";

    /// <inheritdoc/>
    public override string WebContainer => $"{Name}_web_app_container";

    /// <summary>The container in which flask's commands run.</summary>
    public string ToolboxContainer => $"{Name}_rosemary_container";

    /// <summary>The database's port.</summary>
    public int DatabasePort { get; } = FreePort();

    /// <summary>What it has printed of the images: container to image.</summary>
    public IReadOnlyDictionary<string, string> Images => _output
        .Select(line => line.Line.Trim().Split(' '))
        .Where(words => words.Length > 3 && words[1] == "runs")
        .GroupBy(words => words[0])
        .ToDictionary(words => words.Key, words => words.Last()[2].TrimEnd(':'));

    private IEnumerable<string> Settings =>
    [
        $"--Uvlhub:Path={Checkout.Path}", $"--Uvlhub:Instance={Name}", $"--Uvlhub:Services={string.Join(',', services)}",
        $"--Uvlhub:Ports:Web={Port}", $"--Uvlhub:Ports:Database={DatabasePort}",
    ];

    /// <summary>Memory of the AppHost, of the orchestrator and of the dashboard, in MiB.</summary>
    public (double AppHost, double Orchestrator, double Dashboard) Memory()
    {
        var appHost = _running!.ProcessId;
        var session = ProcessTree.All()
            .Where(process => process.Command.Contains($"--monitor {appHost} ", StringComparison.Ordinal))
            .Select(process => ProcessTree.Variable(process.Id, "DCP_SESSION_FOLDER"))
            .FirstOrDefault(folder => folder is not null);
        double orchestrator = 0, dashboard = 0;
        var processes = ProcessTree.All()
            .Where(
                process => process.Id != appHost && session is not null
                && ProcessTree.Variable(process.Id, "DCP_SESSION_FOLDER") == session)
            .SelectMany(process => ProcessTree.Of(process.Id))
            .DistinctBy(process => process.Id);
        foreach (var (id, command) in processes)
        {
            if (command.Contains("Aspire.Dashboard", StringComparison.Ordinal))
            {
                dashboard += ProcessTree.Memory(id);
            }
            else
            {
                orchestrator += ProcessTree.Memory(id);
            }
        }

        return (ProcessTree.Memory(appHost), orchestrator, dashboard);
    }

    /// <inheritdoc/>
    public override async Task StopAsync(bool removeData, CancellationToken cancellationToken)
    {
        if (_running is not null)
        {
            await _stop!.CancelAsync();
            try
            {
                await _running;
            }
            catch (OperationCanceledException)
            {
                // It ended as it was asked to.
            }

            _running = null;
            _stop.Dispose();
        }

        if (_isDetached)
        {
            _isDetached = false;
            await Tool.RunAsync(s_run, ["--stop"], StartLimit, cancellationToken);
        }

        var since = Stopwatch.GetTimestamp();
        while (await Tool.DockerAsync(cancellationToken, "ps", "--all", "--quiet", "--filter", $"name=^{Name}_") is { Length: > 0 })
        {
            if (Stopwatch.GetElapsedTime(since) > TimeSpan.FromSeconds(60))
            {
                throw new BenchException($"the AppHost has ended, but containers of {Name} are left");
            }

            await Task.Delay(100, cancellationToken);
        }

        if (removeData)
        {
            foreach (var volume in (
                await Tool.DockerAsync(
                    cancellationToken, "volume", "ls", "--quiet", "--filter",
                    $"name=^{Name}_")).Split('\n', StringSplitOptions.RemoveEmptyEntries))
            {
                await Tool.DockerAsync(cancellationToken, "volume", "rm", volume);
            }
        }
    }

    /// <inheritdoc/>
    protected override Task LaunchAsync(long since, CancellationToken cancellationToken)
    {
        _output.Clear();
        _stop = new CancellationTokenSource();
        _running = Cli.Wrap("dotnet")
            // Its appsettings.json is looked for there.
            .WithWorkingDirectory(RepositoryFolder.AppHost)
            .WithArguments([Path.Combine(RepositoryFolder.AppHost, "bin", "Debug", "net10.0", "AppHost.dll"), .. Settings])
            .WithEnvironmentVariables(environment =>
            {
                foreach (var (key, value) in LaunchProfile())
                {
                    environment.Set(key, value);
                }
            })
            .WithStandardOutputPipe(PipeTarget.ToDelegate(line => _output.Enqueue((Stopwatch.GetElapsedTime(since).TotalSeconds, line))))
            .WithStandardErrorPipe(PipeTarget.ToDelegate(line => _output.Enqueue((Stopwatch.GetElapsedTime(since).TotalSeconds, line))))
            .WithValidation(CommandResultValidation.None)
            .ExecuteAsync(CancellationToken.None, _stop.Token);
        return Task.CompletedTask;
    }

    /// <inheritdoc/>
    protected override Task LaunchDetachedAsync(CancellationToken cancellationToken)
    {
        _isDetached = true;
        return Tool.RunAsync(s_run, ["--no-install", "--detach", .. Settings], StartLimit, cancellationToken);
    }

    /// <inheritdoc/>
    protected override async Task FailureAsync(CancellationToken cancellationToken)
    {
        await _running!.Task.WaitAsync(cancellationToken);
        throw new BenchException(
            "the AppHost ended before there was a page; it said "
            + $"last:{Environment.NewLine}{string.Join(Environment.NewLine, _output.TakeLast(10).Select(line => line.Line))}");
    }

    /// <inheritdoc/>
    protected override IEnumerable<Phase> Phases(
        IReadOnlyList<EngineEvent> events, IEnumerable<Phase> commands, DateTimeOffset started, double? databaseReady, double firstPage)
    {
        var process = _output.FirstOrDefault(
            line => line.Line.Contains("Distributed application starting", StringComparison.Ordinal)) is { Line: not null } found
            ? found.Seconds
            : 0;
        var database = At(events, started, "start", DatabaseContainer) ?? process;
        var web = At(events, started, "create", WebContainer) ?? firstPage;
        yield return new Phase("AppHost process", 0, process);
        yield return new Phase("orchestrator", process, database);
        yield return new Phase("MariaDB", database, databaseReady ?? database);
        var migration = databaseReady ?? database;
        foreach (var (name, word) in ((string, string)[])[("upgrade", "db upgrade"), ("seed", "db:seed")])
        {
            foreach (var begun in events.Where(
                e => e.Container == ToolboxContainer && e.Action.StartsWith("exec_start", StringComparison.Ordinal)
                && e.Action.Contains(word, StringComparison.Ordinal)))
            {
                var ended = events.FirstOrDefault(e => e.Action == "exec_die" && e.Execution == begun.Execution)?.Time ?? begun.Time;
                yield return new Phase("migrator", migration, (begun.Time - started).TotalSeconds);
                yield return new Phase(name, (begun.Time - started).TotalSeconds, (ended - started).TotalSeconds);
                migration = (ended - started).TotalSeconds;
            }
        }

        yield return new Phase("migrator", migration, web);
        yield return new Phase("Flask", web, firstPage);
    }

    // As 'dotnet run' sets them for the profile that it takes by default.
    private static IEnumerable<KeyValuePair<string, string>> LaunchProfile()
    {
        var file = Path.Combine(RepositoryFolder.AppHost, "Properties", "launchSettings.json");
        var profile = JsonNode.Parse(File.ReadAllText(file))!["profiles"]!["Development"]!;
        yield return new("ASPNETCORE_URLS", profile["applicationUrl"]!.GetValue<string>());
        foreach (var (key, value) in profile["environmentVariables"]!.AsObject())
        {
            yield return new(key, value!.GetValue<string>());
        }
    }
}
