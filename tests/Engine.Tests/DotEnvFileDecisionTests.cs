using Xunit;

namespace UvlhubAspire.Engine.Tests;

/// <summary>The edges that <see cref="DotEnvFileTests"/> leaves open.</summary>
public sealed class DotEnvFileDecisionTests
{
    [Theory]
    [InlineData("export\tA=1", "A", "1")]
    [InlineData("exported=1", "exported", "1")]
    [InlineData("_A=1", "_A", "1")]
    [InlineData("A.b-c_9=1", "A.b-c_9", "1")]
    [InlineData("A=\t1\t# comment", "A", "1")]
    [InlineData("A=1\rB=2", "A", "1")]
    [InlineData("A=1\rB=2", "B", "2")]
    [InlineData("A=\"a\\tb\\rc\"", "A", "a\tb\rc")]
    [InlineData("A=\"a\\\\nb\"", "A", "a\\nb")]
    [InlineData("A=\"a\\qb\"", "A", "a\\qb")]
    [InlineData("A='a\\\\b\\n'", "A", "a\\\\b\\n")]
    [InlineData("A=\"it's\"", "A", "it's")]
    [InlineData("A='say \"so\"'", "A", "say \"so\"")]
    [InlineData("A=\"x\"#comment", "A", "x")]
    [InlineData("A=\"\"", "A", "")]
    [InlineData("A=${B", "A", "${B")]
    [InlineData("A=$", "A", "$")]
    [InlineData("A=$}", "A", "$}")]
    [InlineData("A={B}", "A", "{B}")]
    [InlineData("A=${MISSING}", "A", "")]
    [InlineData("B=1\nA=${B}${B:-2}-${C:-3:-4}", "A", "11-3:-4")]
    [InlineData("A=1\nA=${A}2", "A", "12")]
    [InlineData("#A=0\nA=1", "A", "1")]
    public void A_value_at_the_edge(string text, string key, string expected) =>
        Assert.Equal(expected, DotEnvFile.Parse(text, ".env").Values[key]);

    [Fact]
    public void A_key_is_at_its_last_line_and_one_that_is_not_there_at_none()
    {
        var file = DotEnvFile.Parse("A=\"first\nsecond\"\nB=1\nA=2\nA=3\nB=2\n", "/checkout/.env");
        Assert.Equal<int?>([5, 6, null], [file.LineOf("A"), file.LineOf("B"), file.LineOf("C")]);
        Assert.Equal(["A", "B"], file.Repeated);
        Assert.Equal("/checkout/.env", file.Path);
    }

    [Fact]
    public void Nothing_and_comments_alone_are_no_values()
    {
        Assert.Empty(DotEnvFile.Parse("", ".env").Values);
        Assert.Empty(DotEnvFile.Parse(" \n\t# A=1", ".env").Values);
    }

    [Fact]
    public void A_file_is_read_under_its_own_name()
    {
        using var folder = new TemporaryFolder();
        var path = folder.Write(".env", "A=1");
        var file = DotEnvFile.Read(path);
        Assert.Equal((path, "1"), (file.Path, file.Values["A"]));
    }

    [Theory]
    [InlineData(20, "'ssssssssssssssssssss' has no '='")]
    [InlineData(21, "'ssssssssssssssssssss…' has no '='")]
    public void Twenty_characters_of_a_line_are_shown_and_no_more(int length, string reason) =>
        Assert.Contains(reason, Refusal(new string('s', length)).Message, StringComparison.Ordinal);

    [Theory]
    [InlineData("A=1\n\"B\"=2", 2, "'\"B\"' is no name")]
    [InlineData("Añ=1", 1, "'Añ' is no name")]
    [InlineData("-A=1", 1, "'-A' is no name")]
    [InlineData("A='\n\n", 1, "the value of A opens a ' that is never closed")]
    [InlineData("A=\"x\\", 1, "the value of A opens a \" that is never closed")]
    [InlineData("B=1\nA='x\ny' z", 2, "text after the closing ' of A: 'z'; escape the inner ' as \\'")]
    public void What_is_wrong_is_said_with_the_line_on_which_it_begins(string text, int line, string reason)
    {
        var refusal = Refusal(text);
        Assert.Equal(line, refusal.Line);
        Assert.Contains(reason, refusal.Message, StringComparison.Ordinal);
    }

    private static UserErrorException Refusal(string text) => Assert.Throws<UserErrorException>(() => DotEnvFile.Parse(text, ".env"));
}
