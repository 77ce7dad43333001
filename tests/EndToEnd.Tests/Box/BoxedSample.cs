using Xunit;

namespace UvlhubAspire.EndToEnd.Tests;

/// <summary>
/// A copy of the bundled sample whose image takes as much as uvlhub's: its requirements are as many and as pinned, and its
/// Dockerfile installs Docker's client from Docker's own repository and the newest pip. It runs in a box. One of the
/// requirements, dd, does not build with the setuptools of today.
/// </summary>
public sealed class BoxedSample(NetworkInABox box) : IAsyncLifetime
{
    private const string AsUvlhub = """
        RUN apt-get update \
            && apt-get install -y --no-install-recommends ca-certificates gnupg lsb-release \
            && curl -fsSL https://download.docker.com/linux/debian/gpg | gpg --dearmor -o /usr/share/keyrings/docker.gpg \
            && echo "deb [arch=$(dpkg --print-architecture) signed-by=/usr/share/keyrings/docker.gpg]" \
                "https://download.docker.com/linux/debian $(lsb_release -cs) stable" > /etc/apt/sources.list.d/docker.list \
            && apt-get update \
            && apt-get install -y --no-install-recommends docker-ce-cli

        RUN pip install --no-cache-dir --upgrade pip

        """;

    /// <summary>What the dashboard's API is asked with.</summary>
    public const string DashboardKey = "a-key-of-the-tests";

    // In a fixture no test has a limit.
    private static readonly TimeSpan s_limit = TimeSpan.FromMinutes(15);

    private AppHostProcess? _process;

    public SampleCheckout Checkout { get; } = new();

    public string Instance { get; } = Uvlhub.NewInstance();

    /// <summary>Where the requirements stand.</summary>
    public string Requirements => Checkout.File("requirements.txt");

    /// <summary>The site's image: its name and the id of what was built.</summary>
    public Task<string> SiteImageAsync() =>
        box.EngineAsync("container", "inspect", "--format", "{{.Config.Image}} {{.Image}}", $"{Instance}_{InstanceOnEngine.Site}");

    public async ValueTask InitializeAsync()
    {
        await LengthenAsync(Checkout);
        // Other tests in the box may have had it pulled.
        await box.DoesAsync("image", "rm", "--force", "mariadb:12.0.2");
        await StartAsync();
    }

    /// <summary>Makes a sample one whose image takes as much as uvlhub's.</summary>
    public static async Task LengthenAsync(SampleCheckout checkout)
    {
        var cancellation = TestContext.Current.CancellationToken;
        File.Copy(Path.Combine(NetworkInABox.Wheels, "pins", "egc2526-v1.0.0.txt"), checkout.File("requirements.txt"), overwrite: true);
        var dockerfile = checkout.File("docker/images/Dockerfile.dev");
        const string After = "WORKDIR /app\n";
        var text = await File.ReadAllTextAsync(dockerfile, cancellation);
        Assert.Contains(After, text, StringComparison.Ordinal);
        await File.WriteAllTextAsync(dockerfile, text.Replace(After, AsUvlhub + After, StringComparison.Ordinal), cancellation);
    }

    /// <summary>Starts it, or starts it again, and waits until the site can be used.</summary>
    /// <returns>Where it is.</returns>
    public async Task<Uri> StartAsync()
    {
        await StopAsync();
        _process = box.Start(
            $"--Uvlhub:Path={Checkout.Path}", $"--Uvlhub:Instance={Instance}", $"--AppHost:DashboardApiKey={DashboardKey}",
            "--Uvlhub:Debug=true",
            $"--Uvlhub:Snapshots:Path={Checkout.File("../snapshots")}");
        using var limit = CancellationTokenSource.CreateLinkedTokenSource(TestContext.Current.CancellationToken);
        limit.CancelAfter(s_limit);
        try
        {
            return Site = await _process.ReadyAsync(limit.Token);
        }
        catch (OperationCanceledException exception) when (!TestContext.Current.CancellationToken.IsCancellationRequested)
        {
            throw new TimeoutException($"The site cannot be used after {s_limit.TotalMinutes:0} minutes:\n{Output}", exception);
        }
    }

    /// <summary>The site's address.</summary>
    public Uri Site { get; private set; } = new("http://localhost");

    /// <summary>The dashboard's.</summary>
    public Uri Dashboard => new(Output.Split("dashboard: ")[1].Split('\n')[0].Trim());

    /// <summary>What the AppHost has printed since it was last started.</summary>
    public string Output => _process!.Output;

    public async ValueTask DisposeAsync()
    {
        await StopAsync();
        Checkout.Dispose();
    }

    private async Task StopAsync()
    {
        if (_process is not null)
        {
            await _process.DisposeAsync();
        }
    }
}
