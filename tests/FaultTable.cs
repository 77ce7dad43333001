#:property PublishAot=false

// Makes docs/faults.md of what the test runners wrote: dotnet run tests/FaultTable.cs -- write|check RESULTS TABLE [TRAIT...].
// 'write' takes what was claimed and read, 'check' says whether the table still says the same. The TRAITs, as Tier=long,
// are those whose tests did not run: 'write' keeps their rows, 'check' does not miss them.
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
    ("StandIn", "On Debian's stand-ins alone"),
];

(string Fault, string Reason)[] notTested =
[
    (
        "the engine's own process ends",
        "the tests share the machine's engine with others: the way to it is cut and the containers are killed, which looks the same from "
        + "outside"),
    (
        "MariaDB's own disk fills up in the middle of a migration",
        "MariaDB 11.8 on a full disk ends with a segmentation fault, and the migrator waits for it as for one that was killed; what comes "
        + "after that is not tested. A full disk under the snapshots is"),
    (
        "the clock jumps under the AppHost",
        "its limits are measured by a clock that cannot jump, but only the migrator has been run under one that does"),
];

if (args is not ["write" or "check", var results, var table, .. var without])
{
    Console.Error.WriteLine("usage: FaultTable.cs write|check RESULTS TABLE [TRAIT...]");
    return 2;
}

var proofs = Directory.EnumerateFiles(results, "*.xml").Order(StringComparer.Ordinal)
    .SelectMany(file => XDocument.Load(file).Descendants("test"))
    .SelectMany(Cases)
    .GroupBy(proof => (proof.Fault, proof.Test))
    .Select(Row.Of)
    .ToLookup(row => args[0] == "check" && row.IsSkipped);
// What a machine cannot run it need not prove again; who may not skip (CI_NO_SKIP) has a failed test here.
List<string> notRun = [.. without.Select(trait => $" ({trait})"), .. proofs[true].Select(row => row.Test)];
var rows = proofs[false].ToList();

var unproven = rows.Where(row => row.Trouble is not null).Select(row => $"  {row.Test}, '{row.Fault}': {row.Trouble}").ToList();
if (unproven.Count > 0)
{
    Console.Error.WriteLine($"{table} lists what was proven alone:\n{string.Join('\n', unproven)}");
    return 1;
}

var lines = rows.Select(row => (row.Area, Line: row.ToString())).ToList();
var written = Written().ToList();
if (args[0] == "write")
{
    var kept = written.Where(row => DidNotRun(row.Line)).ToList();
    File.WriteAllText(table, Document([.. lines.Concat(kept).OrderBy(row => row.Line, StringComparer.OrdinalIgnoreCase)]));
    var faults = rows.Select(row => row.Fault).Distinct().Count();
    Console.WriteLine($"{table}: {faults} faults, {rows.Count} tests, rows kept of tests that did not run: {kept.Count}");
    return 0;
}

var told = lines.Select(row => Comparable(row.Line)).ToHashSet();
var listed = written.Select(row => Comparable(row.Line)).ToHashSet();
var differences = told.Except(listed).Select(row => $"  the tests say: {row}")
    .Concat(listed.Except(told).Where(row => !DidNotRun(row)).Select(row => $"  the table says: {row}")).ToList();
if (differences.Count > 0)
{
    Console.Error.WriteLine($"{table} is not what the tests say; './test --faults' writes it anew:\n{string.Join('\n', differences)}");
    return 1;
}

return 0;

IEnumerable<(string Area, string Line)> Written()
{
    var area = "";
    foreach (var line in File.Exists(table) ? File.ReadLines(table) : [])
    {
        area = line.StartsWith("## ", StringComparison.Ordinal) ? areas.FirstOrDefault(known => known.Title == line[3..]).Area ?? "" : area;
        if (line.StartsWith("| ", StringComparison.Ordinal) && !line.StartsWith("| Fault |", StringComparison.Ordinal))
        {
            yield return (area, line);
        }
    }
}

bool DidNotRun(string line) =>
    notRun.Any(test => line.EndsWith($"{test} |", StringComparison.Ordinal) || line.Contains($"{test} (", StringComparison.Ordinal));

IEnumerable<Case> Cases(XElement test)
{
    var traits = test.Descendants("trait").ToLookup(trait => trait.Attribute("name")!.Value, trait => trait.Attribute("value")!.Value);
    // In the order in which they were made; a fault's own before those that hold for all of the test's faults.
    var attachments = test.Descendants("attachment").Select(attachment => (Name: attachment.Attribute("name")!.Value, attachment.Value))
        .OrderBy(attachment => int.Parse(attachment.Name[(attachment.Name.LastIndexOf('/') + 1)..], CultureInfo.InvariantCulture)).ToList();
    var type = test.Attribute("type")!.Value;
    return traits["Fault"].Select(fault => new Case(
        traits[$"{fault}/FaultArea"].Single(),
        fault,
        [.. Claims(fault, "Happens")],
        [.. Claims(fault, "Data")],
        [.. Claims(fault, "Reads")],
        test.Attribute("result")!.Value,
        test.Element("reason")?.Value,
        $"`{type[(type.LastIndexOf('.') + 1)..]}.{test.Attribute("method")!.Value}`{string.Concat(Conditions())}"));

    IEnumerable<string> Conditions() =>
        ((string[])["Tier", "Needs"]).SelectMany(name => traits[name].Select(value => $" ({name}={value})"));

    IEnumerable<string> Claims(string fault, string kind) => ((string[])[fault, "Fault"])
        .SelectMany(
            owner => attachments.Where(attachment => attachment.Name.StartsWith($"{owner}/{kind}/", StringComparison.Ordinal))
            .Select(attachment => attachment.Value));
}

string Document(IReadOnlyList<(string Area, string Line)> rows)
{
    var text = new StringBuilder("""
        # Faults

        Written by `./test --faults`; do not edit. *What happens* and *Data* are claims that a test made together with the
        assertion that they rest on; *What is read* is the line that it saw; a fault whose test did not pass does not stand
        here. `./test` fails where a claim or a line differs from this table, numbers in the lines apart. A test marked
        *Tier=long* runs under `./test --faults` alone, and one marked *Needs=…* where there is such a thing. The tests use
        the real engine, a real MariaDB and real Flask, on images that are built from Debian's packages.


        """.ReplaceLineEndings("\n"));
    foreach (var (area, title) in areas.Where(area => rows.Any(row => row.Area == area.Area)))
    {
        text.Append(
            CultureInfo.InvariantCulture, $"## {title}\n\n| Fault | What happens | What is read | Data | Test |\n|---|---|---|---|---|\n");
        foreach (var row in rows.Where(row => row.Area == area))
        {
            text.Append(CultureInfo.InvariantCulture, $"{row.Line}\n");
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

// Ports, processes and times in what was read differ from run to run; a number in a claim does not.
static string Comparable(string row) =>
    Cells().Split(row) is ["", var fault, var happens, var read, var data, var test, ""]
        ? $"| {fault} | {happens} | {Number().Replace(read, "N")} | {data} | {test} |"
        : row;

/// <summary>One test, or one case of a theory, that proves one fault.</summary>
internal sealed record Case(
    string Area, string Fault, IReadOnlyList<string> Happens, IReadOnlyList<string> Data, IReadOnlyList<string> Read, string Result,
    string? Reason, string Test);

/// <summary>One line of the table.</summary>
internal sealed record Row(
    string Area, string Fault, string Happens, string Read, string Data, string Test, string? Trouble, bool IsSkipped)
{
    private const int MostRead = 3;

    public static Row Of(IEnumerable<Case> cases)
    {
        var all = cases.ToList();
        return new Row(
            all[0].Area,
            all[0].Fault,
            string.Join("; ", all.SelectMany(proof => proof.Happens).Distinct()),
            string.Join("<br>", all.SelectMany(proof => proof.Read).Select(Quoted).Distinct().Take(MostRead)),
            string.Join("; ", all.SelectMany(proof => proof.Data).Distinct()),
            all[0].Test,
            all.FirstOrDefault(proof => proof.Result != "Pass") is { } failed ? $"{failed.Result} {failed.Reason}".TrimEnd()
                : all.All(proof => proof.Happens.Count == 0) ? "its test claims nothing" : null,
            all.Any(proof => proof.Result == "Skip") && all.All(proof => proof.Result is "Pass" or "Skip"));
    }

    public override string ToString() =>
        $"| {Plain(Fault)} | {Plain(Happens)} | {Read} | {(Data.Length == 0 ? "–" : Plain(Data))} | {Test} |";

    // What differs from run to run and from machine to machine says nothing to a reader.
    private static string Quoted(string sentence)
    {
        var text = Program.Time().Replace(sentence.Trim(), "").Replace($"{Environment.CurrentDirectory}/", "", StringComparison.Ordinal);
        text = Program.TemporaryFolder().Replace(text, "…/");
        text = Program.InstanceName().Replace(text, "");
        text = Program.Address().Replace(text, "0x…");
        text = Program.RandomName().Replace(text, "…");
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

    // Of a checkout's folder, of a container, of a test's volume and what is appended to it for a checkout.
    [GeneratedRegex(@"(?<=minihub-)[0-9a-f]{8}|(?<![0-9A-Za-z])(?=[a-f]*[0-9])[0-9a-f]{12,}(?:_[0-9a-f]{8})?(?![0-9A-Za-z])")]
    public static partial Regex RandomName();

    [GeneratedRegex("0x[0-9a-f]{6,}")]
    public static partial Regex Address();

    // With the machine's name before it, where the journal has that too.
    [GeneratedRegex(@"((?:process|uvlhub-runner-tests-)[ ]?)(?:[\w.-]+:)?[0-9][0-9-]*")]
    public static partial Regex ProcessId();

    [GeneratedRegex(@"[0-9]+(\.[0-9]+)*")]
    private static partial Regex Number();

    [GeneratedRegex(@"(?:^| )\|(?: |$)")]
    private static partial Regex Cells();
}
