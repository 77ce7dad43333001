using System.Text;
using Microsoft.Extensions.Logging.Abstractions;
using UvlhubAspire.Checkout;
using UvlhubAspire.Engine;
using Xunit;

namespace UvlhubAspire.Hosting.Containers.Tests.Network;

/// <summary>What a network's proxy and package index are to builds: a proxy that wants a password and prints what it carries.</summary>
public sealed class NetworkSettingsTests : IDisposable
{
    private const string ProxyPassword = "proxy-pass-8841";
    private const string IndexPassword = "index-pass-1188";
    private const string Index = $"http://ben:{IndexPassword}@index.campus:8000/simple";
    private static readonly ContainerEngine s_engine = new("docker");
    private static readonly TimeSpan s_limit = TimeSpan.FromMinutes(5);
    private readonly TemporaryFolder _folder = new();

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    public void Dispose() => _folder.Dispose();

    [Fact(Timeout = 600_000)]
    public async Task A_build_downloads_by_way_of_the_proxy_and_from_the_index_and_no_password_stays_or_is_seen()
    {
        Assert.SkipUnless(OperatingSystem.IsLinux(), "reads /proc");
        var program = Path.Combine(RepositoryFolder.Images, "..", "tests", "Hosting.Containers.Tests", "Network", "campus.py");
        await using var campus = await TestContainer.StartAsync(
            "flask",
            [
                "--add-host", "index.campus:127.0.0.1",
                "--env", $"PROXY_ACCOUNT=ana:{ProxyPassword}", "--env", $"INDEX_ACCOUNT=ben:{IndexPassword}",
            ],
            ["python3", "-c", await File.ReadAllTextAsync(program, Cancellation)]);
        var address = await TestContainer.DockerAsync(
            "container", "inspect", "--format", "{{.NetworkSettings.IPAddress}}", campus.Name);
        var proxies = ProxySettings.Read(
            Variables(("http_proxy", $"http://ana:{ProxyPassword}@{address}:3128")), Path.Combine(_folder.Path, "config.json"));
        var pip = PipSettings.Read(
            Variables(), [_folder.Write("pip.conf", $"[global]\nindex-url = {Index}\ntrusted-host =\n  index.campus\n")]);
        // Only the proxy knows where index.campus is.
        _folder.Write("Dockerfile.dev", $"""
            FROM {await PipImageAsync()}
            COPY . /app
            USER nobody
            RUN test ! -e /app/kept-out && sleep 1 && \
                pip install --no-cache-dir --target /tmp/packages demo==1.0

            """);
        _folder.Write("Dockerfile.dev.dockerignore", "kept-out\n*.conf\n");
        _folder.Write("kept-out", "");
        var image = $"uvlhub-aspire/network-tests:{Guid.NewGuid():N}";
        var recipe = new ImageRecipe(image, Path.Combine(_folder.Path, "Dockerfile.dev"), _folder.Path, false, IsContentTagged: false);
        try
        {
            var build = new ImageBuilder(s_engine, NullLoggerFactory.Instance, proxies, pip)
                .EnsureAsync(recipe, NullLogger.Instance, Cancellation, BuildEffort.FromScratch);
            var (seen, words) = ("", 0);
            while (!build.IsCompleted)
            {
                foreach (var line in CommandLines())
                {
                    seen += HasPassword(line) ? line : "";
                    words += line.Contains("demo==1.0", StringComparison.Ordinal) ? 1 : 0;
                }

                await Task.WhenAny(build, Task.Delay(50, Cancellation));
            }

            await build;
            Assert.Equal("", seen);
            Assert.NotEqual(0, words);
            Assert.Contains(
                "carried http://index.campus:8000/simple/demo/demo-1.0-py3-none-any.whl", await campus.LogsAsync(),
                StringComparison.Ordinal);
            Assert.Equal("without", await TestContainer.DockerAsync(
                "run", "--rm", "--network", "none", "--entrypoint", "sh", image, "-c",
                "test -e /tmp/packages/demo.py && test ! -e /etc/pip.conf && echo without"));
            Assert.False(await HoldsPasswordAsync(image));
        }
        finally
        {
            await s_engine.RunAsync(s_limit, CancellationToken.None, "image", "rm", "--force", image);
        }
    }

    [Fact]
    public void Containers_get_both_spellings_of_a_proxy_and_ask_each_other_and_the_host_without_it()
    {
        var proxies = ProxySettings.Read(
            Variables(("HTTPS_PROXY", "proxy.campus:3128"), ("no_proxy", "git.campus, db")), NoFile).ForContainers(["db", "web"]);

        Assert.Equal(["HTTPS_PROXY", "NO_PROXY", "https_proxy", "no_proxy"], proxies.Keys.Order(StringComparer.Ordinal));
        Assert.Equal("http://proxy.campus:3128", proxies["https_proxy"]);
        Assert.Equal("git.campus,db,localhost,127.0.0.1,::1,.internal,web", proxies["NO_PROXY"]);
    }

    [Fact]
    public void Without_a_proxy_nothing_is_given()
    {
        var none = ProxySettings.Read(Variables(("NO_PROXY", "git.campus"), ("HTTP_PROXY", " ")), NoFile);

        Assert.Empty(none.ForBuilds);
        Assert.Empty(none.ForContainers(["db"]));
    }

    [Fact]
    public void Proxies_that_the_engines_client_gives_are_left_to_it_and_the_exceptions_are_added()
    {
        var file = _folder.Write("config.json", """{"proxies": {"default": {"httpProxy": "http://proxy:1", "noProxy": ".campus"}}}""");

        var proxies = ProxySettings.Read(Variables(("HTTP_PROXY", "http://127.0.0.1:3128")), file);

        Assert.Empty(proxies.ForBuilds);
        Assert.Equal(["NO_PROXY", "no_proxy"], proxies.ForContainers(["db"]).Keys.Order(StringComparer.Ordinal));
        Assert.Equal(".campus,localhost,127.0.0.1,::1,.internal,db", proxies.ForContainers(["db"])["no_proxy"]);
        Assert.Empty(proxies.OutOfReach);
    }

    [Theory]
    [InlineData("""{"auths": {}}""")]
    [InlineData("""{"proxies": {}}""")]
    [InlineData("no JSON")]
    public void A_configuration_without_proxies_leaves_those_of_the_environment(string configuration)
    {
        var proxies = ProxySettings.Read(Variables(("HTTP_PROXY", "http://proxy:1")), _folder.Write("config.json", configuration));

        Assert.Equal("http://proxy:1", proxies.ForBuilds["http_proxy"]);
    }

    [Fact]
    public void What_is_on_the_loopback_address_is_named_without_its_password_and_given_to_nobody()
    {
        var proxies = ProxySettings.Read(
            Variables(("HTTP_PROXY", "http://ana:hidden@localhost:3128"), ("HTTPS_PROXY", "http://proxy:1")), NoFile);
        var pip = PipSettings.Read(Variables(("PIP_INDEX_URL", "http://ben:hidden@127.0.0.1:3141/simple")), []);

        Assert.Equal(["HTTP_PROXY (localhost:3128)"], proxies.OutOfReach);
        Assert.Equal(["HTTPS_PROXY", "https_proxy"], proxies.ForBuilds.Keys.Order(StringComparer.Ordinal));
        Assert.Equal(["pip's index-url (127.0.0.1:3141)"], pip.OutOfReach);
        Assert.Empty(pip.Variables);
    }

    [Fact]
    public void Pips_settings_are_read_as_pip_reads_them()
    {
        var machine = _folder.Write("etc/pip.conf", """
            # the machine's
            [global]
            index_url = https://first.campus/simple
            cert = /etc/ssl/own.pem
            [install]
            trusted-host = one.campus
                two.campus
            [download]
            index-url = https://never.campus/simple
            """);
        var own = _folder.Write(
            "own/pip.conf", "[install]\nindex-url=https://install.campus/simple\n[global]\nindex-url: https://own.campus/simple\n");

        var files = PipSettings.Read(Variables(), [machine, own, NoFile]).Variables;
        Assert.Equal("https://install.campus/simple", files["PIP_INDEX_URL"]);
        Assert.Equal("one.campus two.campus", files["PIP_TRUSTED_HOST"]);
        Assert.Equal(2, files.Count);

        var named = PipSettings.Read(
            Variables(("PIP_CONFIG_FILE", machine), ("PIP_EXTRA_INDEX_URL", "https://more.campus/simple")), [own]).Variables;
        Assert.Equal("https://first.campus/simple", named["PIP_INDEX_URL"]);
        Assert.Equal("https://more.campus/simple", named["PIP_EXTRA_INDEX_URL"]);
    }

    [Fact]
    public void A_dockerfile_gets_pips_settings_in_each_step_and_keeps_its_lines()
    {
        const string mount = "--mount=type=secret,id=UVLHUB_ASPIRE_PIP,target=/etc/pip.conf,mode=0444";
        const string dockerfile = """
            # RUN nothing
            FROM python:3.12-slim
            RUN apt-get update && \
                # a comment
                run something
              run ["pip", "install", "x"]
            COPY <<EOF /script
            RUN in a file
            EOF
            RUN <<-'END'
            RUN in a script
            END
            RUN --network=none cat <<<word && echo $((1<<2))
            RUN pip install y
            RUNNER x
            """;

        Assert.Equal(
            dockerfile
                .Replace("RUN apt-get", $"RUN {mount} apt-get", StringComparison.Ordinal)
                .Replace("run [", $"run {mount} [", StringComparison.Ordinal)
                .Replace("RUN <<-", $"RUN {mount} <<-", StringComparison.Ordinal)
                .Replace("RUN --network", $"RUN {mount} --network", StringComparison.Ordinal)
                .Replace("RUN pip", $"RUN {mount} pip", StringComparison.Ordinal),
            PipSettings.Mounted(dockerfile));
    }

    private string NoFile => Path.Combine(_folder.Path, "no-such-file");

    private static Func<string, string?> Variables(params (string Name, string Value)[] variables) =>
        name => variables.FirstOrDefault(variable => variable.Name == name).Value;

    // The same first steps as in ToolPackagesTests, which the builder keeps.
    private async Task<string> PipImageAsync()
    {
        const string image = "uvlhub-aspire/network-tests:pip";
        _folder.Write("pip/Dockerfile", $"""
            FROM {await TestContainer.EnsureImageAsync("redis")}
            RUN apt-get update \
                && apt-get install -y --no-install-recommends python3-pip python3-setuptools python3-wheel python-is-python3 \
                && rm /usr/lib/python3*/EXTERNALLY-MANAGED
            """);
        await new ImageBuilder(s_engine, NullLoggerFactory.Instance).EnsureAsync(
            new ImageRecipe(image, Path.Combine(_folder.Path, "pip", "Dockerfile"), Path.Combine(_folder.Path, "pip"), false, true),
            NullLogger.Instance, Cancellation);
        return image;
    }

    private static bool HasPassword(string text) =>
        text.Contains(ProxyPassword, StringComparison.Ordinal) || text.Contains(IndexPassword, StringComparison.Ordinal);

    // Of every process that there is; the containers' are among them.
    private static IEnumerable<string> CommandLines()
    {
        foreach (var process in Directory.EnumerateDirectories("/proc").Where(folder => char.IsDigit(Path.GetFileName(folder)[0])))
        {
            string line;
            try
            {
                line = File.ReadAllText(Path.Combine(process, "cmdline")).Replace('\0', ' ');
            }
            catch (IOException)
            {
                // It has ended.
                continue;
            }

            yield return line;
        }
    }

    // Layers, configuration and history.
    private async Task<bool> HoldsPasswordAsync(string image)
    {
        var archive = Path.Combine(_folder.Path, "image.tar");
        await TestContainer.DockerAsync("image", "save", "--output", archive, image);
        var history = await TestContainer.DockerAsync("image", "history", "--no-trunc", image);
        return HasPassword(history) || HasPassword(Encoding.Latin1.GetString(await File.ReadAllBytesAsync(archive, Cancellation)));
    }
}
