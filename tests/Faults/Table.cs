#:property PublishAot=false

// Makes docs/faults.md of what the test runners wrote: dotnet run tests/Faults/Table.cs -- write|check RESULTS TABLE.
// 'write' takes what happened, 'check' says whether the table still lists the faults that the tests have.
using System.Globalization;
using System.Text;
using System.Text.RegularExpressions;
using System.Xml.Linq;

// In the order of the document; the names are those of FaultArea.
(string Area, string Title)[] areas =
[
    ("Database", "The database"),
    ("Migration", "Migrations"),
    ("Checkout", "The checkout"),
    ("Engine", "The engine and the registry"),
    ("Machine", "The AppHost and its machine"),
    ("Production", "In production"),
];

(string Fault, string Reason)[] notTested =
[
    ("the engine's own process ends", "the tests share the machine's engine with others: the way to it is cut and the containers are killed, which looks the same from outside"),
    ("MariaDB's own disk fills up in the middle of a migration", "MariaDB 11.8 on a full disk ends with a segmentation fault, and the migrator waits for it as for one that was killed; what comes after that is not tested. A full disk under the snapshots is"),
    ("the clock jumps under the AppHost", "its limits are measured by a clock that cannot jump, but only the migrator has been run under one that does"),
];

if (args is not ["write" or "check", var results, var table])
{
    Console.Error.WriteLine("usage: Table.cs write|check RESULTS TABLE");
    return 2;
}

var rows = Directory.EnumerateFiles(results, "*.xml").Order(StringComparer.Ordinal)
    .SelectMany(file => XDocument.Load(file).Descendants("test"))
    .SelectMany(Proofs)
    .GroupBy(proof => (proof.Fault, proof.Test))
    .Select(Row.Of)
    .OrderBy(row => Array.FindIndex(areas, area => area.Area == row.Area)).ThenBy(row => row.Fault, StringComparer.OrdinalIgnoreCase).ThenBy(row => row.Test, StringComparer.Ordinal)
    .ToList();

if (args[0] == "write")
{
    File.WriteAllText(table, Document(rows));
    Console.WriteLine($"{table}: {rows.Select(row => row.Fault).Distinct().Count()} faults, {rows.Count} tests, {rows.Count(row => row.Result != "passed")} of them not passed");
    return 0;
}

var written = File.Exists(table) ? File.ReadLines(table).Where(line => line.StartsWith("| ", StringComparison.Ordinal)).Select(Promise).ToHashSet() : [];
var proven = rows.Select(row => Promise(row.ToString())).ToHashSet();
var differences = proven.Except(written).Select(row => $"  not in the table: {row}")
    .Concat(written.Except(proven).Where(row => !row.StartsWith("Fault |", StringComparison.Ordinal)).Select(row => $"  no test has: {row}")).ToList();
if (differences.Count > 0)
{
    Console.Error.WriteLine($"{table} is not what the tests say; './test --faults' writes it anew:\n{string.Join('\n', differences)}");
    return 1;
}

return 0;

IEnumerable<Proof> Proofs(XElement test)
{
    var traits = test.Descendants("trait").ToLookup(trait => trait.Attribute("name")!.Value, trait => trait.Attribute("value")!.Value);
    var read = test.Descendants("attachment").ToDictionary(attachment => attachment.Attribute("name")!.Value, attachment => attachment.Value);
    var type = test.Attribute("type")!.Value;
    return traits["Fault"].Select(fault => new Proof(
        traits[$"{fault}/FaultArea"].Single(),
        fault,
        traits[$"{fault}/Happens"].Single(),
        traits[$"{fault}/Data"].Single(),
        read.GetValueOrDefault(fault) ?? read.GetValueOrDefault("Fault"),
        double.Parse(test.Attribute("time")!.Value, CultureInfo.InvariantCulture),
        test.Attribute("result")!.Value,
        test.Element("reason")?.Value,
        $"{type[(type.LastIndexOf('.') + 1)..]}.{test.Attribute("method")!.Value}"));
}

string Document(IReadOnlyList<Row> rows)
{
    var text = new StringBuilder("""
        # Faults

        Written by `./test --faults`, which runs the tests that prove these faults; do not edit. `./test` fails when this
        table and the tests do not name the same. The tests use the real engine, a real MariaDB and real Flask; what
        *is read* is the line that the test saw. *Took* is the time of the whole test, with what it had to set up first;
        every test has a limit, after which it fails.


        """.ReplaceLineEndings("\n"));
    foreach (var (area, title) in areas)
    {
        text.Append(CultureInfo.InvariantCulture, $"## {title}\n\n| Fault | What happens | What is read | Data | Took | Result | Test |\n|---|---|---|---|---|---|---|\n");
        foreach (var row in rows.Where(row => row.Area == area))
        {
            text.Append(CultureInfo.InvariantCulture, $"{row}\n");
        }

        text.Append('\n');
    }

    text.Append("## Not tested\n\n");
    foreach (var (fault, reason) in notTested)
    {
        text.Append(CultureInfo.InvariantCulture, $"- {fault}: {reason}.\n");
    }

    return $"{text.ToString().TrimEnd()}\n";
}

// What the check compares: neither what was read nor how long it took.
static string Promise(string row) => Cells().Split(row.Trim('|', ' ')) is [var fault, var happens, _, var data, _, _, var test] ? $"{fault} | {happens} | {data} | {test}" : row;

/// <summary>One test that proves one fault; a theory has several.</summary>
internal sealed record Proof(string Area, string Fault, string Happens, string Data, string? Read, double Seconds, string Result, string? Reason, string Test);

/// <summary>One line of the table.</summary>
internal sealed record Row(string Area, string Fault, string Happens, string Read, string Data, double Seconds, string Result, string Test)
{
    private const int MostRead = 3;

    public static Row Of(IEnumerable<Proof> proofs)
    {
        var all = proofs.ToList();
        var failed = all.Where(proof => proof.Result is not "Pass").ToList();
        return new Row(
            all[0].Area,
            all[0].Fault,
            all[0].Happens,
            string.Join("<br>", all.Select(proof => proof.Read).OfType<string>().Select(Quoted).Distinct().Take(MostRead)),
            all[0].Data,
            all.Sum(proof => proof.Seconds),
            failed.Count == 0 ? "passed" : failed.All(proof => proof.Result is "Skip") ? $"not run: {failed[0].Reason}" : "**failed**",
            all[0].Test);
    }

    public override string ToString() =>
        string.Create(CultureInfo.InvariantCulture, $"| {Plain(Fault)} | {Plain(Happens)} | {Read} | {Plain(Data)} | {Seconds:0.0} s | {Result} | `{Test}` |");

    // What differs from run to run and from machine to machine says nothing to a reader.
    private static string Quoted(string sentence)
    {
        var text = Program.Time().Replace(sentence.Trim(), "").Replace($"{Environment.CurrentDirectory}/", "", StringComparison.Ordinal);
        text = Program.TemporaryFolder().Replace(text, "…/");
        text = Program.InstanceName().Replace(text, "");
        return Plain(Program.ProcessId().Replace(text, "$1…")).ReplaceLineEndings("<br>");
    }

    private static string Plain(string text) => text
        .Replace("&", "&amp;", StringComparison.Ordinal).Replace("<", "&lt;", StringComparison.Ordinal)
        .Replace("|", "&#124;", StringComparison.Ordinal).Replace("*", "\\*", StringComparison.Ordinal)
        .Replace("_", "\\_", StringComparison.Ordinal).Replace("`", "\\`", StringComparison.Ordinal);
}

internal partial class Program
{
    [GeneratedRegex(@"^((\d{4}-\d\d-\d\d[T ])?\d\d:\d\d:\d\d(\.\d+Z)? +)+")]
    public static partial Regex Time();

    [GeneratedRegex(@"/tmp/[^/\s:'""]+/?")]
    public static partial Regex TemporaryFolder();

    [GeneratedRegex("e2e[0-9a-f]{8}_?")]
    public static partial Regex InstanceName();

    [GeneratedRegex(@"((?:process|uvlhub-runner-tests-)[ ]?)[0-9][0-9-]*")]
    public static partial Regex ProcessId();

    [GeneratedRegex(@"(?<!\\) \| ")]
    private static partial Regex Cells();
}
