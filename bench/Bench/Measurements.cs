using System.Diagnostics;
using System.Globalization;
using UvlhubAspire.Checkout;

namespace UvlhubAspire.Bench;

/// <summary>The sections of the benchmark. Each takes turns between both sides, and cleans up after itself.</summary>
/// <param name="options">What is asked for.</param>
/// <param name="checkouts">Copies of the checkout.</param>
/// <param name="services">The services beside the site and the database that both sides run.</param>
/// <param name="images">The images, by service.</param>
/// <param name="report">Takes the results.</param>
internal sealed class Measurements(
    BenchOptions options, Checkouts checkouts, IReadOnlyList<string> services, IReadOnlyDictionary<string, string> images, Report report)
{
    private static readonly TimeSpan s_limit = TimeSpan.FromMinutes(1);
    private readonly string _prefix = string.Create(CultureInfo.InvariantCulture, $"bench{Environment.ProcessId}");

    /// <summary>The sections by name, in their order.</summary>
    public IReadOnlyList<(string Name, Func<CancellationToken, Task> RunAsync)> Sections =>
    [
        ("start", StartAsync), ("detach", DetachAsync), ("edit", EditAsync), ("kill", KillAsync), ("check", CheckAsync), (
            "side-by-side", SideBySideAsync), ("revisions", RevisionsAsync), ("images", ImagesAsync),
    ];

    /// <summary>Cold: an empty volume. Warm: stopped, the volume kept.</summary>
    private async Task StartAsync(CancellationToken cancellationToken)
    {
        await using var ours = AppHost("s");
        await using var theirs = Compose("s");
        var starts = new Dictionary<(string Kind, Contestant Side), List<Start>>();
        for (var round = 0; round < options.Rounds; round++)
        {
            // In turns, and the first one of a round is the other each time.
            foreach (var side in round % 2 == 0 ? new Contestant[] { ours, theirs } : [theirs, ours])
            {
                foreach (var (kind, removeData) in ((string, bool)[])[("cold", true), ("warm", false)])
                {
                    await side.StopAsync(removeData, cancellationToken);
                    var start = await side.StartAsync(cancellationToken);
                    Report.Progress($"round {round + 1}, {kind}, {(side == ours ? "AppHost" : "compose")}: {start.Seconds.ToString("0.00", CultureInfo.InvariantCulture)} s");
                    if (!starts.TryGetValue((kind, side), out var list))
                    {
                        starts[(kind, side)] = list = [];
                    }

                    list.Add(start);
                }

                if (side == ours && round == 0)
                {
                    report.Memory(ours.Memory());
                }

                await side.StopAsync(removeData: true, cancellationToken);
            }
        }

        foreach (var (kind, name, goal) in ((string, string, double)[])[
            ("cold", "cold: empty volume → first page", 1.3), ("warm", "warm: stopped, volume kept → first page", 1.7),
        ])
        {
            report.Add(new Comparison(name, Seconds(starts[(kind, ours)]), Seconds(starts[(kind, theirs)]), goal));
            report.AddPicture(kind, Typical(starts[(kind, ours)]), Typical(starts[(kind, theirs)]));
        }
    }

    /// <summary>Until the prompt is back, warm: what people type, against compose's waiting for a health check.</summary>
    private async Task DetachAsync(CancellationToken cancellationToken)
    {
        await using var ours = AppHost("d");
        await using var theirs = Compose("d");
        var figures = new Dictionary<Contestant, List<double>> { [ours] = [], [theirs] = [] };
        for (var round = 0; round <= options.Repetitions; round++)
        {
            foreach (var side in figures.Keys)
            {
                var seconds = await side.DetachAsync(cancellationToken);
                await side.StopAsync(removeData: false, cancellationToken);
                // The first one makes the database.
                if (round > 0)
                {
                    figures[side].Add(seconds);
                }
            }
        }

        report.Add(new Comparison(
            "./run --detach → prompt, against compose up --detach --wait", new Figures(figures[ours]), new Figures(figures[theirs]), 1.9));
    }

    private async Task EditAsync(CancellationToken cancellationToken)
    {
        await using var ours = AppHost("e");
        await using var theirs = Compose("e");
        var figures = new Dictionary<(string Kind, Contestant Side), List<double>>();
        foreach (var side in (Contestant[])[ours, theirs])
        {
            await side.StartAsync(cancellationToken);
            figures[("template", side)] = [];
            figures[("Python file", side)] = [];
        }

        for (var round = 0; round < options.Repetitions; round++)
        {
            foreach (var side in (Contestant[])[ours, theirs])
            {
                figures[("template", side)].Add(await TemplateAsync(side, round, cancellationToken));
                figures[("Python file", side)].Add(await PythonAsync(side, round, cancellationToken));
            }
        }

        foreach (var kind in (string[])["template", "Python file"])
        {
            report.Add(
                new Comparison(
                    $"edit of a {kind} → served", new Figures(figures[(kind, ours)]), new Figures(figures[(kind, theirs)]), 1.0));
        }
    }

    private static async Task<double> TemplateAsync(Contestant side, int round, CancellationToken cancellationToken)
    {
        using var site = new Site(side.Port);
        var marker = $"bench-{round}-{Environment.TickCount64}";
        var template = Directory.EnumerateFiles(Path.Combine(side.Checkout.Path, "app", "templates"), "base*.html").First();
        var text = await File.ReadAllTextAsync(template, cancellationToken);
        var since = Stopwatch.GetTimestamp();
        await File.WriteAllTextAsync(
            template, text.Replace("</body>", $"<!-- {marker} --></body>", StringComparison.Ordinal), cancellationToken);
        var seconds = await site.WaitAsync("/", page => page.Contains(marker, StringComparison.Ordinal), since, s_limit, cancellationToken);
        await File.WriteAllTextAsync(template, text, cancellationToken);
        return seconds;
    }

    private static async Task<double> PythonAsync(Contestant side, int round, CancellationToken cancellationToken)
    {
        using var site = new Site(side.Port);
        var path = $"/bench-{round}";
        var file = Path.Combine(side.Checkout.Path, "app", "__init__.py");
        // At another moment of the reloader's second each time.
        await Task.Delay(TimeSpan.FromMilliseconds(170 * (round + 1)), cancellationToken);
        var since = Stopwatch.GetTimestamp();
        await File.AppendAllTextAsync(file, $"\napp.add_url_rule(\"{path}\", \"bench_{round}\", lambda: \"served\")\n", cancellationToken);
        return await site.WaitAsync(path, page => page == "served", since, s_limit, cancellationToken);
    }

    /// <summary>Kills MariaDB's process from the host: to the engine a crash, where <c>docker kill</c> is a stop by hand.</summary>
    private async Task KillAsync(CancellationToken cancellationToken)
    {
        await using var ours = AppHost("k");
        await using var theirs = Compose("k");
        var figures = new Dictionary<Contestant, List<double>> { [ours] = [], [theirs] = [] };
        for (var round = 0; round < options.Repetitions; round++)
        {
            foreach (var side in figures.Keys)
            {
                // Started anew each time: both sides wait longer before each further restart in a row.
                await side.StopAsync(removeData: false, cancellationToken);
                await side.StartAsync(cancellationToken);
                var process = await Contestant.ProcessOfAsync(side.DatabaseContainer, cancellationToken)
                    ?? throw new BenchException($"{side.DatabaseContainer} does not run");
                using var site = new Site(side.Port);
                var since = Stopwatch.GetTimestamp();
                await Tool.RunAsync("kill", ["-KILL", process.ToString(CultureInfo.InvariantCulture)], s_limit, cancellationToken);
                await site.WaitUntilGoneAsync("/", TimeSpan.FromSeconds(2), cancellationToken);
                figures[side].Add(await site.WaitAsync("/", _ => true, since, s_limit, cancellationToken));
                await side.StopAsync(removeData: false, cancellationToken);
            }
        }

        report.Add(new Comparison("database killed → site answers", new Figures(figures[ours]), new Figures(figures[theirs]), 1.0));
    }

    /// <summary>The migrator's look at a database that is at the head, against the same question to flask.</summary>
    private async Task CheckAsync(CancellationToken cancellationToken)
    {
        await using var ours = AppHost("c");
        await ours.StartAsync(cancellationToken);
        List<double> runner = [], flask = [];
        string[] check =
        [
            .. RunnerExecutable.Arguments, "migrate",
            $"--Uvlhub:Path={ours.Checkout.Path}", $"--Uvlhub:Instance={ours.Name}", $"--Uvlhub:Ports:Database={ours.DatabasePort}",
        ];
        for (var round = 0; round <= options.Repetitions; round++)
        {
            var (first, second) = (await SecondsAsync(RunnerExecutable.Command, check, cancellationToken),
                await SecondsAsync("docker", ["exec", ours.ToolboxContainer, "flask", "db", "upgrade"], cancellationToken));
            // The first round brings both into the machine's caches.
            if (round > 0)
            {
                runner.Add(first);
                flask.Add(second);
            }
        }

        report.Add(
            new Comparison(
                "nothing to migrate", new Figures(runner), new Figures(flask), 0.1)
            { Sides = ("migrator", "'flask db upgrade'") });
    }

    private async Task SideBySideAsync(CancellationToken cancellationToken)
    {
        foreach (var count in options.Instances)
        {
            var seconds = new Dictionary<string, double>();
            double memory = 0;
            foreach (var side in (string[])["AppHost", "compose"])
            {
                var all = Enumerable.Range(1, count)
                    .Select(number => side == "AppHost" ? (Contestant)AppHost($"n{number}") : Compose($"n{number}")).ToList();
                try
                {
                    var since = Stopwatch.GetTimestamp();
                    await Task.WhenAll(all.Select(one => one.StartAsync(cancellationToken)));
                    seconds[side] = Stopwatch.GetElapsedTime(since).TotalSeconds;
                    memory += all.OfType<AppHostContestant>()
                        .Sum(one => one.Memory() is var (appHost, orchestrator, dashboard) ? appHost + orchestrator + dashboard : 0);
                }
                finally
                {
                    foreach (var one in all)
                    {
                        await one.DisposeAsync();
                    }
                }
            }

            report.Add(new Comparison(
                string.Create(
                    CultureInfo.InvariantCulture, $"{count} side by side, cold, until the last answers (AppHosts' memory {memory:0} MiB)"),
                new Figures([seconds["AppHost"]]), new Figures([seconds["compose"]]), Goal: null));
        }
    }

    private async Task RevisionsAsync(CancellationToken cancellationToken)
    {
        foreach (var count in options.Revisions)
        {
            await using var ours = new AppHostContestant($"{_prefix}r{count}", checkouts.Copy($"ours-r{count}", count), services);
            await using var theirs = new ComposeContestant(
                $"{_prefix}cr{count}", checkouts.Copy($"theirs-r{count}", count), services, images);
            foreach (var (kind, removeData) in ((string, bool)[])[("cold", true), ("warm", false)])
            {
                var seconds = new Dictionary<Contestant, double>();
                foreach (var side in (Contestant[])[ours, theirs])
                {
                    await side.StopAsync(removeData, cancellationToken);
                    seconds[side] = (await side.StartAsync(cancellationToken)).Seconds;
                    await side.StopAsync(removeData: false, cancellationToken);
                }

                report.Add(
                    new Comparison($"{count} revisions, {kind}", new Figures([seconds[ours]]), new Figures([seconds[theirs]]), Goal: null));
            }
        }
    }

    private async Task ImagesAsync(CancellationToken cancellationToken)
    {
        foreach (var image in images.Values.Distinct())
        {
            var bytes = await Tool.DockerAsync(cancellationToken, "image", "inspect", "--format", "{{.Size}}", image);
            report.AddFact(
                $"image {image}",
                string.Create(
                    CultureInfo.InvariantCulture,
                    $"{long.Parse(bytes, CultureInfo.InvariantCulture) / 1e6:0} MB, the shared Debian base included"));
        }
    }

    private AppHostContestant AppHost(string name) => new($"{_prefix}{name}", checkouts.Copy($"ours-{name}-{Guid.NewGuid():n}"), services);

    private ComposeContestant Compose(string name) =>
        new($"{_prefix}c{name}", checkouts.Copy($"theirs-{name}-{Guid.NewGuid():n}"), services, images);

    private static async Task<double> SecondsAsync(string program, IEnumerable<string> words, CancellationToken cancellationToken)
    {
        var since = Stopwatch.GetTimestamp();
        await Tool.RunAsync(program, words, s_limit, cancellationToken);
        return Stopwatch.GetElapsedTime(since).TotalSeconds;
    }

    private static Figures Seconds(IEnumerable<Start> starts) => new([.. starts.Select(start => start.Seconds)]);

    // The start in the middle: its phases were really seen together, which medians of phases were not.
    private static Start Typical(List<Start> starts) => starts.OrderBy(start => start.Seconds).ElementAt(starts.Count / 2);
}
