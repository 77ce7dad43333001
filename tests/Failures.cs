#:property PublishAot=false

// Repeats at the end of ./test what failed, because a whole run prints thousands of lines after it: dotnet run tests/Failures.cs -- RESULTS.
using System.Xml.Linq;

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
    Console.WriteLine(Indented(test.Descendants("message").FirstOrDefault()?.Value));
    // Of the stack, the lines that are ours.
    Console.WriteLine(Indented(string.Join('\n', (test.Descendants("stack-trace").FirstOrDefault()?.Value ?? "").Split('\n').Where(line => line.Contains(":line ", StringComparison.Ordinal)))));
}

return 0;

static string Indented(string? text) => $"  {(text ?? "").Trim().ReplaceLineEndings("\n").Replace("\n", "\n  ", StringComparison.Ordinal)}";
