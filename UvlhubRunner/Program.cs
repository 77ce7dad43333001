using System.CommandLine;
using Microsoft.Extensions.DependencyInjection;
using UvlhubAspire.Runner;
using UvlhubAspire.Runner.Migration;
using UvlhubAspire.Runner.Verbs;

// Settings are ordinary .NET configuration and look the same for the AppHost: --Uvlhub:Path=… may stand anywhere.
string[] settings = [.. args.Where(IsSetting)];
string[] words = [.. args.Where(argument => !IsSetting(argument))];

var root = new RootCommand(
    "Brings the database of a uvlhub checkout to the checkout's newest revision, without losing a row. Settings such as "
    + "--Uvlhub:Path=FOLDER may stand anywhere; exit codes are in docs/migrations.md.");
root.SetAction((_, token) => MigrateAsync(token));

Add("migrate", "Upgrade the database to the checkout's head, and seed it if it was empty (the default).")
    .SetAction((_, token) => MigrateAsync(token));

var json = new Option<bool>("--json") { Description = "Print JSON." };
var status = Add("status", "Say how the database stands to the checkout, and what 'migrate' would do.");
status.Options.Add(json);
status.SetAction((parsed, token) => AnswerAsync(
    (services, cancellation) => services.GetRequiredService<StatusVerb>()
        .RunAsync(Console.Out, parsed.GetValue(json), cancellation), token));

var sql = new Option<bool>("--sql") { Description = "Print the statements, without running them." };
var plan = Add("plan", "Say what 'migrate' would run.");
plan.Options.Add(sql);
plan.SetAction((parsed, token) => AnswerAsync(
    (services, cancellation) => services.GetRequiredService<PlanVerb>().RunAsync(Console.Out, parsed.GetValue(sql), cancellation), token));

Add("seed", "Run the checkout's seeder on a database at the head.")
    .SetAction((_, token) => Verb.RunAsync(
        settings, logToError: false, (services, cancellation) => services.GetRequiredService<DataVerbs>().SeedAsync(cancellation), token));

Add("backup", "Make a snapshot of the database and print its name.")
    .SetAction((_, token) => AnswerAsync(
        (services, cancellation) => services.GetRequiredService<SnapshotVerbs>().BackupAsync(Console.Out, cancellation), token));

var name = new Argument<string>("NAME") { Description = "A snapshot, as 'snapshots' lists it." };
var restore = Add("restore", "Give the database a snapshot's content; what is in it now is dumped first.");
restore.Arguments.Add(name);
restore.SetAction((parsed, token) => Verb.RunAsync(
    settings,
    logToError: false,
    (services, cancellation) => services.GetRequiredService<SnapshotVerbs>().RestoreAsync(parsed.GetRequiredValue(name), cancellation),
    token));

var yes = new Option<bool>("--yes", "-y") { Description = "Do it." };
var reset = Add("reset", "Empty the database after a dump of it, and bring it to the head as a new one.");
reset.Options.Add(yes);
reset.SetAction((parsed, token) => Verb.RunAsync(
    settings,
    logToError: false,
    (services, cancellation) => services.GetRequiredService<DataVerbs>().ResetAsync(parsed.GetValue(yes), cancellation),
    token));

Add("snapshots", "List the snapshots.")
    .SetAction((_, token) => AnswerAsync(
        (services, _) => services.GetRequiredService<SnapshotVerbs>().ListAsync(Console.Out), token));

// After Ctrl+C a change is undone, which takes longer than the two seconds that are the default.
var ending = new InvocationConfiguration { ProcessTerminationTimeout = TimeSpan.FromSeconds(90) };
var parsed = root.Parse(words);
return parsed.Errors.Count > 0 ? Mistake(parsed) : await parsed.InvokeAsync(ending);

static bool IsSetting(string argument) => argument.StartsWith("--Uvlhub:", StringComparison.OrdinalIgnoreCase);

Command Add(string verb, string description)
{
    var command = new Command(verb, description);
    root.Subcommands.Add(command);
    return command;
}

Task<int> MigrateAsync(CancellationToken token) => Verb.RunAsync(
    settings,
    logToError: false,
    async (services, cancellation) =>
    {
        await services.GetRequiredService<Migrator>().MigrateAsync(cancellation);
        return ExitCode.Done;
    },
    token);

// Standard output is the answer alone, so that it can be piped; the log goes to standard error.
Task<int> AnswerAsync(Func<IServiceProvider, CancellationToken, Task<ExitCode>> verb, CancellationToken token) =>
    Verb.RunAsync(settings, logToError: true, verb, token);

static int Mistake(ParseResult parsed)
{
    foreach (var error in parsed.Errors)
    {
        Console.Error.WriteLine($"UvlhubRunner: {error.Message}");
    }

    Console.Error.WriteLine("'--help' lists what there is.");
    return (int)ExitCode.Mistake;
}
