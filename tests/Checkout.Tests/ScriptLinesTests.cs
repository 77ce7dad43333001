using UvlhubAspire.Engine;
using Xunit;

namespace UvlhubAspire.Checkout.Tests;

public sealed class ScriptLinesTests : IDisposable
{
    private readonly TemporaryFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Fault(FaultArea.Checkout, "a start script has Windows line ends")]
    [Theory]
    [InlineData("bash", "/app/docker/entrypoints/worker.sh")]
    [InlineData("sh", "-c", "sh /app/docker/entrypoints/worker.sh")]
    [InlineData("docker/entrypoints/worker.sh")]
    public void A_script_with_carriage_returns_is_refused_with_file_line_and_remedy(params string[] command)
    {
        var checkout = Read("#!/bin/bash\nset -e\r\nexec python worker.py\r\n");
        var refused = Assert.Throws<UserErrorException>(() => ScriptLines.Check(checkout, command));
        Proof.Happens("refused with file and line", () =>
        {
            var script = Path.Combine(checkout.Path, "docker/entrypoints/worker.sh");
            Assert.Equal((script, 2), (refused.File, refused.Line));
            Assert.StartsWith($"{script}:2: ", refused.Message, StringComparison.Ordinal);
        });
        Proof.Happens(
            "with the command that mends it",
            () => Assert.Contains("sed -i 's/\\r$//' docker/entrypoints/worker.sh", refused.Message, StringComparison.Ordinal));
        Proof.Reads("sed -i 's/\\r$//' docker/entrypoints/worker.sh", refused.Message);
    }

    [Fact]
    public void A_script_without_them_runs_and_so_does_one_that_is_not_in_the_checkout()
    {
        var checkout = Read("#!/bin/bash\nexec python worker.py\n");
        ScriptLines.Check(checkout, ["bash", "/app/docker/entrypoints/worker.sh"]);
        ScriptLines.Check(checkout, ["/usr/local/bin/docker-entrypoint.sh"]);
    }

    private UvlhubCheckout Read(string script)
    {
        Edition.Load("egc2526-v1.0.0").WriteCheckout(_folder);
        _folder.Write("docker/entrypoints/worker.sh", script);
        return UvlhubCheckout.Read(_folder.Path);
    }
}
