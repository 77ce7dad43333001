#:property PublishAot=false

// Repeats at the end of ./test what failed, because a whole run prints thousands of lines after it: dotnet run
// tests/Failures.cs -- RESULTS.
using System.Xml.Linq;

const int MostOutput = 40;
const int WidestOutput = 400;

if (args is not [var results])
{
    Console.Error.WriteLine("usage: Failures.cs RESULTS");
    return 2;
}

foreach (var test in Directory.EnumerateFiles(results, "*.xml").Order(StringComparer.Ordinal)
    .SelectMany(file => XDocument.Load(file).Descendants())
    .Where(element => element.Name.LocalName is "error" || element.Attribute("result")?.Value is "Fail"))
{
    Console.WriteLine($"{test.Attribute("name")?.Value ?? test.Attribute("type")?.Value} ({test.Attribute("time")?.Value} s)");
    Print(Lines(test.Descendants("message").FirstOrDefault()));
    // Of the stack, the lines that are ours.
    Print(Lines(test.Descendants("stack-trace").FirstOrDefault()).Where(line => line.Contains(":line ", StringComparison.Ordinal)));
    // What the test has said meanwhile; the end of it is nearest to the failure.
    var output = Lines(test.Element("output")).Select(line => line.Length > WidestOutput ? $"{line[..WidestOutput]}…" : line).ToArray();
    Print(output.Length > MostOutput ? [$"Its output, the last {MostOutput} of {output.Length} lines:", .. output[^MostOutput..]] : output);
}

return 0;

static string[] Lines(XElement? element) =>
    (element?.Value ?? "").Trim().ReplaceLineEndings("\n").Split('\n', StringSplitOptions.RemoveEmptyEntries);

static void Print(IEnumerable<string> lines)
{
    foreach (var line in lines)
    {
        Console.WriteLine($"  {line}");
    }
}
