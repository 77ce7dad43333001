using System.Runtime.Versioning;
using System.Text.Json;
using CliWrap;
using CliWrap.Buffered;
using Xunit;

namespace UvlhubAspire.Engine.Tests;

/// <summary>
/// One file, three readers: the AppHost, compose's <c>env_file</c> and the python-dotenv inside the site. The other two are
/// asked themselves; where one of them reads something else, the difference has a name.
/// </summary>
[SupportedOSPlatform("linux")]
public sealed class DotEnvReadersTests
{
    private const string Dollar = "a $ before a name that is not set is an ordinary character";
    private const string Machine = "the machine's own variables are not looked at";
    private const string Colon = "KEY: value is refused";
    private const string Rest = "text after a closing quote is refused";
    private const string Bare = "$NAME of an earlier key is its value, and $$ is a $";
    private const string Operators = "${NAME-text}, ${NAME:+text} and what is nested in them are understood";
    private const string SingleQuotes = "nothing is replaced between single quotes";
    private const string Backslash = "a backslash escapes nothing but the quote between single quotes, and not the other quote between "
        + "double ones";
    private const string EscapedDollar = "\\$ between double quotes is a $";
    private const string ByteOrderMark = "a byte order mark is no part of the first name";

    // A variable of the machine that compose is run on, and of the container that python-dotenv is run in.
    private const string Variable = "ON_THIS_MACHINE";
    private const string VariablesValue = "from this machine";

    private static readonly Vector[] s_vectors =
    [
        new("A=plain", "plain"),
        new("A=", ""),
        new("A=two words", "two words"),
        new("  A  =  spaces around  ", "spaces around"),
        new("export A=exported", "exported"),
        new("A=\"UVLHUB.IO(dev)\"", "UVLHUB.IO(dev)"),
        new("A='single $HOME \\n'", "single $HOME \\n"),
        new("B=base\nA='${B}'", "${B}") { PythonDotenv = new("base", SingleQuotes) },
        new("A='a\\\\b'", "a\\\\b") { PythonDotenv = new("a\\b", Backslash) },
        new("A='it\\'s'", "it's"),
        new("A=\"line\\nbreak\"", "line\nbreak"),
        new("A=\"a\\\\b\"", "a\\b"),
        new("A=\"a \\\"quoted\\\" word\"", "a \"quoted\" word"),
        new("A=\"it\\'s\"", "it\\'s") { PythonDotenv = new("it's", Backslash) },
        new("A=\"costs \\$5\"", "costs $5") { PythonDotenv = new("costs \\$5", EscapedDollar) },
        new("A=\"not \\${B}\"", "not ${B}") { PythonDotenv = new("not \\", EscapedDollar) },
        new("A=\"first\nsecond\"", "first\nsecond"),
        new("A=value # comment", "value"),
        new("A=value#no-comment", "value#no-comment"),
        new("A=\"#no comment\" # comment", "#no comment"),
        new("A=# no comment", "# no comment"),
        new("A= #no-comment", "#no-comment"),
        new("A=pa$word", "pa$word") { Compose = new("pa", Dollar) },
        new("A=pa$word$", "pa$word$") { Compose = new("pa$", Dollar) },
        new("A=$1x}", "$1x}"),
        new("A=pa$$word$1", "pa$word$1") { PythonDotenv = new("pa$$word$1", Bare) },
        new("B=base\nA=$B/sub", "base/sub") { PythonDotenv = new("$B/sub", Bare) },
        new("B='x$y'\nA=\"p $B q\"", "p x$y q") { PythonDotenv = new("p $B q", Bare) },
        new("B=\"x\\$y\"\nA=$B", "x$y") { PythonDotenv = new("$B", Bare) },
        new("B=base\nA='$B'", "$B"),
        new("A=back\\slash\\n", "back\\slash\\n"),
        new("B=base\nA=${B}/sub", "base/sub"),
        new("B=base\nA=\"${B}/sub\"", "base/sub"),
        new("A=${MISSING}", ""),
        new("A=${MISSING:-fallback}", "fallback"),
        new("A=${MISSING-fallback}", "fallback") { PythonDotenv = new("", Operators) },
        new("B=\nA=${B-none}/${B:-none}", "/none") { PythonDotenv = new("/", Operators) },
        new("B=x\nA=${B:+set}${MISSING+set}", "set") { PythonDotenv = new("${B:+set}", Operators) },
        new("B=x\nA=${MISSING:-${B}}", "x") { PythonDotenv = new("${B}", Operators) },
        new("A: yaml", null) { Compose = new("yaml", Colon) },
        new("A=\"a\" b", null) { Compose = new("a", Rest) },
        new($"A=${{{Variable}}}", "") { Compose = new(VariablesValue, Machine), PythonDotenv = new(VariablesValue, Machine) },
        new("A=x=y=z", "x=y=z"),
        new("A=ñandú 漢字", "ñandú 漢字"),
        new("\uFEFFA=after a byte order mark", "after a byte order mark") { PythonDotenv = new(null, ByteOrderMark) },
        new("# head\r\n\r\nA=1\r\nB=2\r\n", "1"),
        new("A=\"quoted\"\r\n", "quoted"),
        new("A=first\nA=last\n", "last"),
    ];

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    public static TheoryData<string, string?> Vectors => [.. s_vectors.Select(vector => (vector.Text, vector.Value))];

    [Theory]
    [MemberData(nameof(Vectors))]
    public void A_value_is_read_as_the_table_says(string text, string? expected) => Assert.Equal(expected, Read(text));

    [Fault(FaultArea.Checkout, ".env has $, quotes and spaces in its values")]
    [Fact(Timeout = 120_000)]
    public async Task A_value_is_read_as_compose_reads_it_but_for_differences_that_have_a_name()
    {
        using var files = WriteFiles();
        files.Write(
            "compose.yaml", $"services:\n{string.Concat(s_vectors.Select((_, i) => $"  s{i}: {{ image: none, env_file: {i}.env }}\n"))}");
        var config = await Cli.Wrap("docker")
            .WithArguments(["compose", "--file", Path.Combine(files.Path, "compose.yaml"), "config", "--format", "json"])
            .WithEnvironmentVariables(environment => environment.Set(Variable, VariablesValue))
            .ExecuteBufferedAsync(Cancellation);
        using var services = JsonDocument.Parse(config.StandardOutput);

        Compare(
            "compose's env_file reads it", vector => vector.Compose, i => services.RootElement.GetProperty("services").GetProperty($"s{i}")
            // 'config' prints a file for compose, in which a $ is written twice.
            .GetProperty("environment").TryGetProperty("A", out var value)
                ? value.GetString()!.Replace("$$", "$", StringComparison.Ordinal)
                : null);
    }

    [Fault(FaultArea.Checkout, ".env has $, quotes and spaces in its values")]
    [Fact(Timeout = 300_000)]
    public async Task A_value_is_read_as_python_dotenv_reads_it_but_for_differences_that_have_a_name()
    {
        using var files = WriteFiles();
        TestContainer.Open(files);
        const string program = """
            import dotenv, json, sys
            print(json.dumps([dotenv.dotenv_values(f"/files/{i}.env").get("A") for i in range(int(sys.argv[1]))]))
            """;
        var read = await TestContainer.DockerAsync(
            "run", "--rm", "--network", "none", "--volume", $"{files.Path}:/files:ro", "--env", $"{Variable}={VariablesValue}",
            await TestContainer.EnsureImageAsync("flask"),
            "python", "-c", program, $"{s_vectors.Length}");
        var values = JsonSerializer.Deserialize<string?[]>(read)!;

        Compare("python-dotenv reads it", vector => vector.PythonDotenv, i => values[i]);
    }

    private static void Compare(string reader, Func<Vector, OtherReading?> other, Func<int, string?> read)
    {
        var readings = s_vectors.Select((vector, i) => (vector.Text, vector.Value, Other: other(vector), Read: read(i))).ToList();
        Proof.Happens($"each is read as {reader}, but for what is named here", () => Assert.Equal(
            readings.Where(reading => reading.Other is null).Select(reading => (reading.Text, reading.Value)),
            readings.Where(reading => reading.Other is null).Select(reading => (reading.Text, reading.Read))));
        foreach (var difference in readings.Where(reading => reading.Other is not null).GroupBy(reading => reading.Other!.Difference))
        {
            Proof.Happens(difference.Key, () => Assert.All(difference, reading =>
            {
                Assert.Equal(reading.Other!.Value, reading.Read);
                Assert.Equal(reading.Value, Read(reading.Text));
                Assert.NotEqual(reading.Value, reading.Read);
            }));
        }
    }

    private static string? Read(string text)
    {
        try
        {
            return DotEnvFile.Parse(text, ".env").Values["A"];
        }
        catch (UserErrorException)
        {
            return null;
        }
    }

    private static TemporaryFolder WriteFiles()
    {
        var files = new TemporaryFolder();
        for (var i = 0; i < s_vectors.Length; i++)
        {
            files.Write($"{i}.env", s_vectors[i].Text);
        }

        return files;
    }

    /// <summary>A file, and what its key A is: here, where it may be refused, and where another reader reads something else.</summary>
    private sealed record Vector(string Text, string? Value)
    {
        public OtherReading? Compose { get; init; }

        public OtherReading? PythonDotenv { get; init; }
    }

    /// <summary>What another reader reads, <see langword="null"/> if it finds no key A, and what the AppHost does in its place.</summary>
    private sealed record OtherReading(string? Value, string Difference);
}
