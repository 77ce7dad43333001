using System.Runtime.Versioning;
using CliWrap;
using CliWrap.Buffered;
using UvlhubAspire.Engine;
using Xunit;

namespace UvlhubAspire.Hosting.Containers.Tests.Images;

/// <summary>
/// A volume that MariaDB 10.11 wrote, which is Debian 12's: the server of an earlier uvlhub, and not this one with another
/// version's name on it.
/// </summary>
[SupportedOSPlatform("linux")]
internal sealed class OlderMariaDB : IAsyncDisposable
{
    private const string Suite = "bookworm";

    // Kept like the stand-ins: it takes a minute to make.
    private const string Image = $"uvlhub-aspire/mariadb-10.11:{Suite}";

    private OlderMariaDB(TestContainer container, string answer) => (Container, Answer) = (container, answer);

    /// <summary>The container that wrote the volume; it has ended, and has the volume.</summary>
    public TestContainer Container { get; }

    /// <summary>What the server answered last, one line for each statement.</summary>
    public string Answer { get; }

    /// <summary>Has the server write a volume, and end.</summary>
    /// <param name="folder">Where the volume is mounted.</param>
    /// <param name="statements">What the server executes.</param>
    /// <param name="question">What it is asked last.</param>
    public static async Task<OlderMariaDB> WriteVolumeAsync(string folder, string statements, string question)
    {
        await EnsureImageAsync();
        const string script = """
            set -e
            mariadb-install-db --user=root --datadir="$1" --auth-root-authentication-method=normal --skip-test-db > /dev/null 2>&1
            mariadbd --user=root --datadir="$1" --socket=/tmp/sock --skip-networking 2> /tmp/log &
            ask() { mariadb --socket=/tmp/sock --user=root --default-character-set=utf8mb4 --skip-column-names --batch --raw --execute "$1"; }
            for try in $(seq 300); do ask "DO 0" 2> /dev/null && break; sleep 0.1; done
            ask "$2" || { cat /tmp/log >&2; exit 1; }
            ask "$3"
            ask "SHUTDOWN"
            wait
            """;
        var container = await TestContainer.OfImageAsync(
            Image, ["--network", "none"], ["bash", "-c", script, "bash", folder, statements, question], folder);
        try
        {
            Assert.True(await container.ExitCodeAsync() == 0, await container.LogsAsync());
            return new OlderMariaDB(container, (await container.LogsAsync()).Trim());
        }
        catch
        {
            await container.DisposeAsync();
            throw;
        }
    }

    public ValueTask DisposeAsync() => Container.DisposeAsync();

    private static async Task EnsureImageAsync()
    {
        var cancellation = TestContext.Current.CancellationToken;
        using var oneAtATime = await FileLock.EnterAsync(Path.Combine(Path.GetTempPath(), "uvlhub-aspire-mariadb-10.11.lock"), cancellation);
        if (await new ContainerEngine("docker").HasImageAsync(Image, cancellation))
        {
            return;
        }

        using var folder = new TemporaryFolder();
        var archive = Path.Combine(folder.Path, $"{Suite}.tar");
        await Cli.Wrap("mmdebstrap")
            .WithArguments(
            [
                "--variant=essential", "--include=mariadb-server-core,mariadb-client-core", "--dpkgopt=force-unsafe-io",
                "--dpkgopt=path-exclude=/usr/share/doc/*",
                "--aptopt=Acquire::Languages \"none\"", Suite, archive,
            ])
            .ExecuteBufferedAsync(cancellation);
        await Cli.Wrap("docker").WithArguments(["import", archive, Image]).ExecuteBufferedAsync(cancellation);
    }
}
