#:property PublishAot=false

// Makes bench/results/mutation.txt of Stryker's report: dotnet run bench/MutationReport.cs -- REPORT TEXT HOW.
using System.Globalization;
using System.Text;
using System.Text.Json.Nodes;

if (args is not [var report, var text, var how])
{
    Console.Error.WriteLine("usage: MutationReport.cs REPORT TEXT HOW");
    return 2;
}

var files = JsonNode.Parse(File.ReadAllText(report))!["files"]!.AsObject()
    .Select(file => (
        Name: Path.GetFileName(file.Key),
        Lines: file.Value!["source"]!.GetValue<string>().ReplaceLineEndings("\n").Split('\n'),
        Mutants: file.Value!["mutants"]!.AsArray().Select(mutant => mutant!).Where(mutant => Noticed(mutant) is not null).ToList()))
    .Where(file => file.Mutants.Count > 0)
    .OrderBy(file => file.Name, StringComparer.Ordinal)
    .ToList();

var result = new StringBuilder();
result.Append(
    CultureInfo.InvariantCulture, $"Planted faults that the tests notice, {DateTime.UtcNow:yyyy-MM-dd} (bench/mutation.sh; {how})\n\n");
foreach (var (name, _, mutants) in files)
{
    result.Append(Score(name, mutants));
}

result.Append(Score("all", [.. files.SelectMany(file => file.Mutants)])).Append("\nNot noticed:\n");
foreach (var (name, lines, mutants) in files)
{
    foreach (var mutant in mutants.Where(mutant => Noticed(mutant) is false).OrderBy(Line))
    {
        var instead = (mutant["replacement"]?.GetValue<string>() ?? "").ReplaceLineEndings(" ");
        var isReached = mutant["status"]!.GetValue<string>() is not "NoCoverage";
        result.Append(
            CultureInfo.InvariantCulture, $"{name}:{Line(mutant)}: {mutant["mutatorName"]}{(isReached ? "" : ", no test comes by")}\n");
        result.Append(
            CultureInfo.InvariantCulture,
            $"    {lines[Line(mutant) - 1].Trim()}\n    {(instead.Length > 110 ? $"{instead[..110]}…" : instead)}\n");
    }
}

File.WriteAllText(text, result.ToString());
Console.WriteLine(result.ToString().Split("\nNot noticed")[0]);
return 0;

// What did not compile, or was not planted, says nothing.
static bool? Noticed(JsonNode mutant) => mutant["status"]!.GetValue<string>() switch
{
    "Killed" or "Timeout" => true,
    "Survived" or "NoCoverage" => false,
    _ => null,
};

static int Line(JsonNode mutant) => mutant["location"]!["start"]!["line"]!.GetValue<int>();

static string Score(string name, IReadOnlyList<JsonNode> mutants)
{
    var noticed = mutants.Count(mutant => Noticed(mutant) is true);
    var percent = 100.0 * noticed / mutants.Count;
    return string.Create(CultureInfo.InvariantCulture, $"{name,-24}{noticed,5} of {mutants.Count,4}  {percent,5:0.0} %\n");
}
