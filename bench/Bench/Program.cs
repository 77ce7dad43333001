using System.CommandLine;
using System.Diagnostics;
using System.Globalization;
using UvlhubAspire.Bench;
using UvlhubAspire.Checkout;
using UvlhubAspire.Engine;

string[] known = ["start", "detach", "edit", "kill", "check", "side-by-side", "revisions", "images"];
var repository = Path.GetDirectoryName(RepositoryFolder.AppHost)!;
var checkout = new Option<string>("--checkout") { Description = "A uvlhub checkout; a copy of it is measured.", DefaultValueFactory = _ => RepositoryFolder.BundledSample };
var output = new Option<string>("--output") { Description = "The folder for the results.", DefaultValueFactory = _ => Path.Combine(repository, "bench", "results") };
var rounds = new Option<int?>("--rounds") { Description = "Rounds of cold and warm starts; 7, or 3 with --quick." };
var quick = new Option<bool>("--quick") { Description = "Fewer rounds and smaller sizes: about three minutes." };
var only = new Option<string[]>("--only") { Description = $"Just these sections: {string.Join(", ", known)}.", AllowMultipleArgumentsPerToken = true };
var minutes = new Option<double>("--minutes")
{
    Description = "After this no further section begins, and at a third more everything "
    + "ends.",
    DefaultValueFactory = _ => 11
};
only.AcceptOnlyFromAmong(known);

var root = new RootCommand("Measures the AppHost against uvlhub's own docker compose, in turns, on the same images and the same checkout.")
{
    checkout, output, rounds, quick, only, minutes,
};
root.SetAction(async (parsed, token) =>
{
    var options = new BenchOptions
    {
        Checkout = Path.GetFullPath(parsed.GetRequiredValue(checkout)),
        Output = Path.GetFullPath(parsed.GetRequiredValue(output)),
        IsQuick = parsed.GetValue(quick),
        Rounds = parsed.GetValue(rounds) ?? (parsed.GetValue(quick) ? 3 : 7),
        Sections = parsed.GetValue(only) is { Length: > 0 } chosen ? chosen : known,
        Limit = TimeSpan.FromMinutes(parsed.GetValue(minutes)),
    };
    try
    {
        await RunAsync(options, args, token);
        return 0;
    }
    catch (Exception exception) when (exception is BenchException or UserErrorException)
    {
        Console.Error.WriteLine($"bench: {exception.Message}");
        return 1;
    }
});

// The containers are taken down after Ctrl+C as well.
return await root.Parse(args).InvokeAsync(new InvocationConfiguration { ProcessTerminationTimeout = TimeSpan.FromSeconds(90) });

static async Task RunAsync(BenchOptions options, string[] arguments, CancellationToken token)
{
    var since = Stopwatch.GetTimestamp();
    using var limit = CancellationTokenSource.CreateLinkedTokenSource(token);
    limit.CancelAfter(options.Limit * 4 / 3);
    var cancellation = limit.Token;

    using var checkouts = new Checkouts(options.Checkout);
    var services = Services(checkouts.Copy("look"));
    var report = new Report(await Machine.DescribeAsync(options, arguments, services, cancellation));

    // Once beforehand: the images are built, everything is read from the disk once, and the AppHost says which images it runs.
    Report.Progress("warming up");
    Dictionary<string, string> images;
    await using (var first = new AppHostContestant($"bench{Environment.ProcessId}w", checkouts.Copy("warm-up"), services))
    {
        await first.StartAsync(cancellation);
        images = first.Images.Where(image => image.Key is "web" or "db" || services.Contains(image.Key)).ToDictionary();
    }

    var measurements = new Measurements(options, checkouts, services, images, report);
    foreach (var (name, runAsync) in measurements.Sections.Where(section => options.Sections.Contains(section.Name)))
    {
        if (Stopwatch.GetElapsedTime(since) > options.Limit)
        {
            report.AddFact($"section {name}", "left out, the time was up");
            continue;
        }

        Report.Progress($"section {name}");
        try
        {
            await runAsync(cancellation);
        }
        catch (BenchException exception)
        {
            report.AddFact($"section {name}", $"not finished: {exception.Message}");
        }
        catch (OperationCanceledException) when (!token.IsCancellationRequested)
        {
            report.AddFact($"section {name}", "not finished, the time was up");
        }
    }

    report.AddFact("load average at the end", Machine.Load);
    report.AddFact("took", string.Create(CultureInfo.InvariantCulture, $"{Stopwatch.GetElapsedTime(since).TotalMinutes:0.0} minutes"));
    // What grows takes as long as all the rest, and is mostly measured alone.
    var isGrowth = options.Sections.All(section => section is "side-by-side" or "revisions");
    await report.WriteAsync(options.Output, isGrowth ? "growth.txt" : "results.txt", token);
}

// nginx is the one service that every edition's file declares; what else there is differs, and is left out on both sides.
static IReadOnlyList<string> Services(UvlhubCheckout checkout)
{
    var file = Path.Combine(checkout.Path, "docker", "docker-compose.dev.yml");
    return !File.Exists(file) ? throw new BenchException($"there is no {file}; it is what is measured against")
        : File.ReadLines(file).Any(line => line.TrimEnd() == "  nginx:") ? ["nginx"] : [];
}
