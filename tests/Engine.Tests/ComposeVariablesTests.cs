using Xunit;

namespace UvlhubAspire.Engine.Tests;

public sealed class ComposeVariablesTests
{
    private static readonly Dictionary<string, string> s_set = new() { ["A"] = "a", ["EMPTY"] = "" };

    [Theory]
    [InlineData("no variable", "no variable")]
    [InlineData("$A", "a")]
    [InlineData("${A}", "a")]
    [InlineData("x${A}y$A-z", "xaya-z")]
    [InlineData("$$A $${A}", "$A ${A}")]
    [InlineData("${A:-other}", "a")]
    [InlineData("${EMPTY:-other}", "other")]
    [InlineData("${EMPTY-other}", "")]
    [InlineData("${MISSING-other}", "other")]
    [InlineData("${MISSING:-}", "")]
    [InlineData("${MISSING:-${EMPTY:-${A}}}", "a")]
    [InlineData("${MISSING:-http://host:80/?a=b}", "http://host:80/?a=b")]
    [InlineData("${A:+set}", "set")]
    [InlineData("${EMPTY:+set}", "")]
    [InlineData("${EMPTY+set}", "set")]
    [InlineData("${MISSING+set}", "")]
    [InlineData("${A:?must be there}", "a")]
    [InlineData("${EMPTY?must be there}", "")]
    [InlineData("${MISSING}", "")]
    [InlineData("x$A1y-", "x-")]
    [InlineData("${MISSING-o}x", "ox")]
    [InlineData("${MISSING:-$$}", "$")]
    [InlineData("${MISSING:-$A}z}", "az}")]
    public void A_variable_is_put_in_as_compose_does(string text, string expected) =>
        Assert.Equal(expected, new ComposeVariables(s_set.GetValueOrDefault, _ => { }).Expand(text));

    [Theory]
    [InlineData("${MISSING:?no token}", "MISSING must be set: no token")]
    [InlineData("${EMPTY:?no token}", "EMPTY must be set: no token")]
    [InlineData("${A", "never closed")]
    [InlineData("${}", "names no variable")]
    [InlineData("${A:b}", "is malformed")]
    [InlineData("costs 5$", "a dollar sign is written $$")]
    [InlineData("$1", "a dollar sign is written $$")]
    public void What_cannot_be_put_in_is_said(string text, string reason)
    {
        var exception = Assert.Throws<FormatException>(() => new ComposeVariables(s_set.GetValueOrDefault, _ => { }).Expand(text));
        Assert.Contains(reason, exception.Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("${MISSING?}")]
    [InlineData("${EMPTY:?}")]
    public void Without_a_reason_none_is_said(string text)
    {
        var exception = Assert.Throws<FormatException>(() => new ComposeVariables(s_set.GetValueOrDefault, _ => { }).Expand(text));
        Assert.EndsWith(" must be set", exception.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Variables_that_are_not_set_and_have_no_default_are_reported()
    {
        var unset = new List<string>();
        new ComposeVariables(s_set.GetValueOrDefault, unset.Add).Expand("$ONE ${TWO} ${THREE:-3} ${FOUR:+4} $A $EMPTY");
        Assert.Equal(["ONE", "TWO"], unset);
    }

    [Theory]
    [InlineData("flask run --debug", "flask", "run", "--debug")]
    [InlineData("  sh  -c 'sleep 1; echo \"two words\"' ", "sh", "-c", "sleep 1; echo \"two words\"")]
    [InlineData("echo \"a \\\"b\\\" \\n\" c\\ d ''", "echo", "a \"b\" \\n", "c d", "")]
    [InlineData("a'b'\"c\"", "abc")]
    public void A_command_is_taken_apart_as_a_shell_does(string text, params string[] words)
    {
        Assert.Equal(words, ShellWords.Split(text));
        Assert.Equal(words, ShellWords.Split(ShellWords.Join(words)));
    }

    [Fact]
    public void A_quote_that_is_never_closed_is_said() =>
        Assert.Contains(
            "never closed", Assert.Throws<FormatException>(() => ShellWords.Split("sh -c 'x")).Message, StringComparison.Ordinal);
}
