using UvlhubAspire.Checkout;
using Xunit;

namespace UvlhubAspire.AppHost.Tests.Checkout;

public sealed class DotEnvFileTests
{
    [Fault(FaultArea.Checkout, ".env has $, quotes and spaces in its values", Happens = "each is read as python-dotenv reads it inside the site", Data = "not touched")]
    [Theory]
    [InlineData("A=plain", "plain")]
    [InlineData("A=", "")]
    [InlineData("A=two words", "two words")]
    [InlineData("  A  =  spaces around  ", "spaces around")]
    [InlineData("export A=exported", "exported")]
    [InlineData("A=\"UVLHUB.IO(dev)\"", "UVLHUB.IO(dev)")]
    [InlineData("A='single $HOME ${HOME} \\n'", "single $HOME ${HOME} \\n")]
    [InlineData("A=\"line\\nbreak\"", "line\nbreak")]
    [InlineData("A=\"a \\\"quoted\\\" word\"", "a \"quoted\" word")]
    [InlineData("A='it\\'s'", "it's")]
    [InlineData("A=value # comment", "value")]
    [InlineData("A=value#no-comment", "value#no-comment")]
    [InlineData("A=\"#no comment\" # comment", "#no comment")]
    [InlineData("A=# comment only", "")]
    [InlineData("A=pa$$word$1", "pa$$word$1")]
    [InlineData("A=\"costs \\$5 and \\${B}\"", "costs $5 and ${B}")]
    [InlineData("B=base\nA=${B}/sub", "base/sub")]
    [InlineData("A=${MISSING:-fallback}", "fallback")]
    [InlineData("A=x=y=z", "x=y=z")]
    [InlineData("A=\"first\nsecond\"", "first\nsecond")]
    [InlineData("\uFEFFA=after a byte order mark", "after a byte order mark")]
    [InlineData("A=ñandú 漢字", "ñandú 漢字")]
    public void A_value_is_read_as_python_dotenv_reads_it(string text, string expected) =>
        Assert.Equal(expected, DotEnvFile.Parse(text, ".env").Values["A"]);

    [Fault(FaultArea.Checkout, ".env has Windows line ends", Happens = "they leave no trace in any value", Data = "not touched")]
    [Fact]
    public void Windows_line_ends_comments_and_blank_lines_leave_no_trace()
    {
        var file = DotEnvFile.Parse("# head\r\n\r\nA=1\r\n  # indented\r\nB=\"2\"\r\n", ".env");
        Assert.Equal([new("A", "1"), new("B", "2")], file.Values);
    }

    [Fault(FaultArea.Checkout, ".env has a key twice", Happens = "the last one counts, and a warning names its line", Data = "not touched")]
    [Fact]
    public void The_last_of_a_repeated_key_counts_and_is_reported_with_its_line()
    {
        var file = DotEnvFile.Parse("A=1\nB=2\nA=3\n", ".env");
        Assert.Equal("3", file.Values["A"]);
        Assert.Equal(["A"], file.Repeated);
        Assert.Equal(3, file.LineOf("A"));
    }

    [Fault(FaultArea.Checkout, ".env is malformed", Happens = "refused with file, line and reason")]
    [Theory]
    [InlineData("A=1\nMARIADB_USER uvlhub\n", 2, "has no '='")]
    [InlineData("\n\nA B=1", 3, "is no name of an environment variable")]
    [InlineData("1A=1", 1, "is no name of an environment variable")]
    [InlineData("=value", 1, "no name before '='")]
    [InlineData("A=1\nB=\"never closed\nC=2\n", 2, "never closed")]
    [InlineData("A=\"x\" y", 1, "text after the closing")]
    public void A_malformed_line_is_named_with_file_number_and_reason(string text, int line, string reason)
    {
        var exception = Assert.Throws<CheckoutException>(() => DotEnvFile.Parse(text, "/checkout/.env"));
        Assert.Equal(("/checkout/.env", line), (exception.File, exception.Line));
        Assert.StartsWith($"/checkout/.env:{line}: ", exception.Message, StringComparison.Ordinal);
        Proof.Reads(reason, exception.Message);
    }

    [Fact]
    public void A_long_line_without_equals_sign_is_not_repeated_in_full_because_it_may_be_a_secret()
    {
        var exception = Assert.Throws<CheckoutException>(() => DotEnvFile.Parse(new string('s', 40), ".env"));
        Assert.DoesNotContain(new string('s', 21), exception.Message, StringComparison.Ordinal);
    }
}
