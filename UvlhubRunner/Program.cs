using System.CommandLine;
using Microsoft.Extensions.DependencyInjection;
using UvlhubAspire.Runner;
using UvlhubAspire.Runner.Migration;
using UvlhubAspire.Runner.Verbs;

// Settings are ordinary .NET configuration and look the same for the AppHost: --Uvlhub:Path=… may stand anywhere.
var arguments = args.ToLookup(argument => argument.StartsWith("--Uvlhub:", StringComparison.OrdinalIgnoreCase));
string[] settings = [.. arguments[true]];
string[] words = [.. arguments[false]];

var root = new RootCommand(
    "Brings the database of a uvlhub checkout to the checkout's newest revision, without losing a row. Settings such as "
    + "--Uvlhub:Path=FOLDER may stand anywhere; exit codes are in docs/migrations.md.");
Does<Migrator>(root, (verb, _, token) => verb.MigrateAsync(asItIs: false, expectsEmpty: false, token));

var asItIs = new Option<bool>("--as-is")
{
    Description = "Take the database as a run that was killed has left it, with all that was written since, and go on from there.",
};
var expectEmpty = new Option<bool>("--expect-empty")
{
    Description = "Have Flask loaded while MariaDB still starts: quicker if the database turns out to be empty.",
};
Does<Migrator>(
    Add("migrate", "Upgrade the database to the checkout's head, and seed it if it was empty (the default).", asItIs, expectEmpty),
    (verb, parsed, token) => verb.MigrateAsync(parsed.GetValue(asItIs), parsed.GetValue(expectEmpty), token));

var json = new Option<bool>("--json") { Description = "Print JSON." };
Answers<StatusVerb>(
    Add("status", "Say how the database stands to the checkout, and what 'migrate' would do.", json),
    (verb, parsed, token) => verb.RunAsync(Console.Out, parsed.GetValue(json), token));

var sql = new Option<bool>("--sql") { Description = "Print the statements, without running them." };
var rehearse = new Option<bool>("--rehearse") { Description = "Run the pending revisions on a copy of the database." };
Answers<PlanVerb>(
    Add("plan", "Say what 'migrate' would run, and what of the rows that are there stands in its way.", sql, rehearse),
    (verb, parsed, token) => verb.RunAsync(Console.Out, parsed.GetValue(sql), parsed.GetValue(rehearse), token));

Does<DataVerbs>(Add("seed", "Run the checkout's seeder on a database at the head."), (verbs, _, token) => verbs.SeedAsync(token));

Answers<SnapshotVerbs>(
    Add("backup", "Make a snapshot of the database and print its name."), (verbs, _, token) => verbs.BackupAsync(Console.Out, token));

var name = new Argument<string>("NAME") { Description = "A snapshot, as 'snapshots' lists it." };
var restore = Add("restore", "Give the database a snapshot's content; what is in it now is dumped first.");
restore.Arguments.Add(name);
Does<SnapshotVerbs>(restore, (verbs, parsed, token) => verbs.RestoreAsync(parsed.GetRequiredValue(name), token));

var yes = new Option<bool>("--yes", "-y") { Description = "Do it." };
Does<DataVerbs>(
    Add("reset", "Empty the database after a dump of it, and bring it to the head as a new one.", yes),
    (verbs, parsed, token) => verbs.ResetAsync(parsed.GetValue(yes), token));

Answers<SnapshotVerbs>(Add("snapshots", "List the snapshots."), (verbs, _, _) => verbs.ListAsync(Console.Out));

Answers<BackupVerbs>(
    Add("backups", "List the backups in the repository (Uvlhub:Backups:Repository)."),
    (verbs, _, token) => verbs.ListAsync(Console.Out, token));

var id = new Argument<string>("ID") { Description = "A backup, as 'backups' lists it." };
var restoreBackup = Add(
    "restore-backup", "Fetch a backup, and give the database its rows and the site its uploads; what is there now is kept first.");
restoreBackup.Arguments.Add(id);
Does<BackupVerbs>(restoreBackup, (verbs, parsed, token) => verbs.RestoreAsync(parsed.GetRequiredValue(id), token));

var once = new Option<bool>("--once") { Description = "Make one now, and end." };
Does<BackupVerbs>(
    Add("schedule", "Make a backup every Uvlhub:Backups:Every, until it is ended.", once),
    (verbs, parsed, token) => verbs.ScheduleAsync(parsed.GetValue(once), token));

var stack = new Argument<string>("STACK") { Description = "The stack's name, as 'docker stack ls' lists it." };
var version = new Argument<string>("VERSION") { Description = "A version, as 'history' lists it." };
var keepDatabase = new Option<bool>("--keep-database")
{
    Description = "Leave the tables as they are, although the version may not know them.",
};
Looks(Add("history", "List what was deployed to a stack, by whom, and what came of it."),
    (verbs, _, token) => verbs.ListAsync(Console.Out, token));
var rollback = Add(
    "rollback", "Have a stack run a version again that it ran before, with the rows of then if its tables were others.", keepDatabase, yes);
Looks(rollback, (verbs, parsed, token) => verbs.RollBackAsync(
    parsed.GetRequiredValue(version), parsed.GetValue(keepDatabase), parsed.GetValue(yes), token));
rollback.Arguments.Add(version);
Looks(Add("update", "Deploy what the registry has now under the names that a stack runs."), (verbs, _, token) => verbs.UpdateAsync(token));
Looks(
    Add("serve-updates", "Do that when the webhook or the registry's newer images ask for it; a stack's service 'updater' runs this."),
    (verbs, _, token) => verbs.ServeAsync(token));

// After Ctrl+C a change is undone, which takes longer than the two seconds that are the default.
var ending = new InvocationConfiguration { ProcessTerminationTimeout = TimeSpan.FromSeconds(90) };
var parsed = root.Parse(words);
return parsed.Errors.Count > 0 ? Mistake(parsed) : await parsed.InvokeAsync(ending);

Command Add(string verb, string description, params IEnumerable<Option> options)
{
    var command = new Command(verb, description);
    foreach (var option in options)
    {
        command.Options.Add(option);
    }

    root.Subcommands.Add(command);
    return command;
}

void Does<T>(Command command, Func<T, ParseResult, CancellationToken, Task<ExitCode>> run)
    where T : notnull => SetAction(command, run, isAnswer: false);

// Standard output is the answer alone, so that it can be piped; the log goes to standard error.
void Answers<T>(Command command, Func<T, ParseResult, CancellationToken, Task<ExitCode>> run)
    where T : notnull => SetAction(command, run, isAnswer: true);

// Nothing of a database: the engine is asked, and what works on the database runs in the stack.
void Looks(Command command, Func<StackVerbs, ParseResult, CancellationToken, Task<ExitCode>> run)
{
    command.Arguments.Add(stack);
    command.SetAction((parsed, token) => Verb.RunAsync(
        (cancellation) => Task.FromResult(RunnerHost.CreateForStack(settings, parsed.GetRequiredValue(stack))),
        (services, cancellation) => run(services.GetRequiredService<StackVerbs>(), parsed, cancellation), token));
}

void SetAction<T>(Command command, Func<T, ParseResult, CancellationToken, Task<ExitCode>> run, bool isAnswer)
    where T : notnull =>
    command.SetAction((parsed, token) => Verb.RunAsync(
        cancellation => RunnerHost.CreateAsync(settings, isAnswer, cancellation), (services, cancellation) => run(services.GetRequiredService<T>(), parsed, cancellation), token));

static int Mistake(ParseResult parsed)
{
    foreach (var error in parsed.Errors)
    {
        Console.Error.WriteLine($"UvlhubRunner: {error.Message}");
    }

    Console.Error.WriteLine("'--help' lists what there is.");
    return (int)ExitCode.Mistake;
}
