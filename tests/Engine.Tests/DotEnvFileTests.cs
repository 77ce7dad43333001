using Xunit;

namespace UvlhubAspire.Engine.Tests;

public sealed class DotEnvFileTests
{
    [Fault(FaultArea.Checkout, ".env has Windows line ends")]
    [Fact]
    public void Windows_line_ends_comments_and_blank_lines_leave_no_trace()
    {
        var file = DotEnvFile.Parse("# head\r\n\r\nA=1\r\n  # indented\r\nB=\"2\"\r\nC='two\r\nlines'\r\nD=${A}\r\n", ".env");
        Proof.Happens(
            "they leave no trace in any value",
            () => Assert.Equal([new("A", "1"), new("B", "2"), new("C", "two\nlines"), new("D", "1")], file.Values));
        Assert.Equal(8, file.LineOf("D"));
    }

    [Fact]
    public void What_a_workflow_of_GitHubs_fills_in_is_kept_as_it_is_written() => Assert.Equal(
        [new("A", "1"), new("B", "${{ secrets.B }}"), new("C", "http://${{ vars.HOST }}/1")],
        DotEnvFile.Parse("A=1\nB=${{ secrets.B }}\nC=\"http://${{ vars.HOST }}/${A}\"\n", ".env").Values);

    [Fault(FaultArea.Checkout, ".env is malformed")]
    [Theory]
    [InlineData("A=1\nMARIADB_USER uvlhub\n", 2, "has no '='")]
    [InlineData("\n\nA B=1", 3, "is no name of an environment variable")]
    [InlineData("1A=1", 1, "is no name of an environment variable")]
    [InlineData("=value", 1, "no name before '='")]
    [InlineData("A=1\nB=\"never closed\nC=2\n", 2, "never closed")]
    [InlineData("A=\"x\" y", 1, "text after the closing")]
    public void A_malformed_line_is_named_with_file_number_and_reason(string text, int line, string reason)
    {
        var exception = Assert.Throws<UserErrorException>(() => DotEnvFile.Parse(text, "/checkout/.env"));
        Proof.Happens("refused with file, line and reason", () =>
        {
            Assert.Equal(("/checkout/.env", line), (exception.File, exception.Line));
            Assert.StartsWith($"/checkout/.env:{line}: ", exception.Message, StringComparison.Ordinal);
            Assert.Contains(reason, exception.Message, StringComparison.Ordinal);
        });
        Proof.Reads(reason, exception.Message);
    }

    [Fact]
    public void A_long_line_without_equals_sign_is_not_repeated_in_full_because_it_may_be_a_secret()
    {
        var exception = Assert.Throws<UserErrorException>(() => DotEnvFile.Parse(new string('s', 40), ".env"));
        Assert.DoesNotContain(new string('s', 21), exception.Message, StringComparison.Ordinal);
    }
}
