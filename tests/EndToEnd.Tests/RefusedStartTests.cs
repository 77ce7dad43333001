using System.Globalization;
using System.Net;
using System.Net.Sockets;
using System.Runtime.Versioning;
using Xunit;

namespace UvlhubAspire.EndToEnd.Tests;

/// <summary>What the AppHost finds out before it starts anything: one message, no stack trace, exit code 2.</summary>
[SupportedOSPlatform("linux")]
public sealed class RefusedStartTests : IDisposable
{
    private readonly DirectoryInfo _folder = Directory.CreateTempSubdirectory("uvlhub-aspire-refused-");

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    public void Dispose() => _folder.Delete(recursive: true);

    [Fault(FaultArea.Engine, "the engine is absent")]
    [Theory(Timeout = 120_000)]
    [InlineData("DOCKER_HOST", "unix:///nowhere/docker.sock")]
    [InlineData("PATH", "/nowhere")]
    public async Task Without_an_engine_it_is_said_what_to_do(string variable, string value) => await RefusedAsync(
        new() { [variable] = value }, [],
        "said before anything starts, with what to do",
        "no container engine answers 'docker version'", "'./run' sets one up on Debian; elsewhere install and start Docker");

    [Fault(FaultArea.Engine, "buildx is absent")]
    [Fact(Timeout = 120_000)]
    public async Task Without_buildx_it_is_said_what_to_install()
    {
        var path = Environment.GetEnvironmentVariable("PATH")!;
        var docker = path.Split(':').Select(folder => Path.Combine(folder, "docker")).First(File.Exists);
        var client = Path.Combine(_folder.FullName, "docker");
        await File.WriteAllTextAsync(
            client,
            $"#!/bin/sh\n[ \"$1\" != buildx ] || {{ echo \"docker: 'buildx' is not a docker command.\" >&2; exit 1; }}\nexec {docker} "
            + "\"$@\"\n",
            Cancellation);
        File.SetUnixFileMode(client, UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute);
        await RefusedAsync(
            new() { ["PATH"] = $"{_folder.FullName}:{path}" }, [],
            "said before anything starts, with what to install",
            "the engine has no buildx plugin", "'./run' installs it on Debian");
    }

    [Fault(FaultArea.Engine, "the ports of nginx (80), MariaDB (3306) and the site (5000) are taken")]
    [Fact(Timeout = 120_000)]
    public async Task Taken_ports_are_named_with_their_owner_and_setting()
    {
        List<TcpListener> listeners = [.. Enumerable.Range(0, 3).Select(_ => new TcpListener(IPAddress.Loopback, 0))];
        try
        {
            listeners.ForEach(listener => listener.Start());
            var ports = listeners.Select(listener => ((IPEndPoint)listener.LocalEndpoint).Port).ToList();
            string[] settings = ["Uvlhub:Ports:Nginx", "Uvlhub:Ports:Database", "Uvlhub:Ports:Web"];
            var me = $"EndToEnd.Tests (process {Environment.ProcessId})";
            await RefusedAsync(
                [],
                settings.Zip(ports, (setting, port) => $"--{setting}={port}"),
                "all three are named in one message, with who has them and the settings that choose others",
                [.. settings.Zip(ports, (setting, port) => string.Create(CultureInfo.InvariantCulture, $"is taken by {me}. Stop that, or choose another port: --{setting}={port + 1}"))]);
        }
        finally
        {
            listeners.ForEach(listener => listener.Dispose());
        }
    }

    [Fault(FaultArea.Machine, "a setting is misspelt, and another has a value that it does not take")]
    [Fact(Timeout = 120_000)]
    public async Task Settings_that_are_none_are_named_with_the_nearest_and_where_they_stand() => await RefusedAsync(
        new() { ["Uvlhub__Gunicorn__Workers"] = "many" }, ["--Uvlhub:Servces=+adminer"],
        "both are named in one message, with where they stand",
        "Uvlhub:Servces is not a setting; did you mean Uvlhub:Services? (on the command line)",
        "Uvlhub:Gunicorn:Workers must be a number from 1; it is 'many' (the environment variable Uvlhub__Gunicorn__Workers)");

    [Fact(Timeout = 120_000)]
    public async Task Two_that_ask_for_one_port_are_named_in_one_message() => await RefusedAsync(
        [], ["--Uvlhub:Ports:Web=7341", "--Uvlhub:Ports:Nginx=7341"],
        "both are named with their settings",
        "port 7341 is asked for by web (Uvlhub:Ports:Web) and by nginx (Uvlhub:Ports:Nginx). Choose another for one of them: --Uvlhub:Ports:");

    [Fact(Timeout = 120_000)]
    public async Task A_platform_that_the_engine_does_not_have_is_named_with_its_line()
    {
        using var checkout = new SampleCheckout();
        var compose = checkout.File("docker/docker-compose.dev.yml");
        await File.WriteAllTextAsync(
            compose, "services:\n  web:\n    image: web\n  db:\n    image: mariadb\n    platform: linux/s390x\n", Cancellation);
        await RefusedAsync(
            [], [$"--Uvlhub:Path={checkout.Path}"],
            "the service, the line and what can be done",
            $"{compose}:6: db wants the platform linux/s390x, and the engine runs");
    }

    [Theory(Timeout = 120_000)]
    [InlineData("    build: { context: ., dockerfile: Dockerfile.db }", 5)]
    [InlineData("    image: postgis/postgis:17-3.5", 5)]
    public async Task A_checkout_on_PostgreSQL_is_told_so_at_once(string database, int line)
    {
        using var checkout = new SampleCheckout();
        var compose = checkout.File("docker/docker-compose.dev.yml");
        await File.WriteAllTextAsync(checkout.File("docker/Dockerfile.db"), "FROM postgres:17\n", Cancellation);
        await File.WriteAllTextAsync(compose, $"services:\n  web:\n    image: web\n  db:\n{database}\n", Cancellation);
        await RefusedAsync(
            [], [$"--Uvlhub:Path={checkout.Path}"],
            "the database, the line and what can be done",
            string.Create(CultureInfo.InvariantCulture, $"{compose}:{line}: db runs post"), $"docker compose -f {compose} up");
    }

    private static async Task RefusedAsync(
        Dictionary<string, string> environment, IEnumerable<string> settings, string claim, params string[] messages)
    {
        environment["DOTNET_ROOT"] = Path.GetFullPath(
            Path.Combine(System.Runtime.InteropServices.RuntimeEnvironment.GetRuntimeDirectory(), "..", "..", ".."));
        var instance = Uvlhub.NewInstance();
        try
        {
            await using var host = AppHostProcess.Start(environment, [$"--Uvlhub:Instance={instance}", .. settings]);
            await Proof.HappensAsync(claim, async () =>
            {
                Assert.Equal(2, await host.EndAsync(Cancellation));
                Assert.Single(host.Output.Split('\n'), line => line.StartsWith("UvlhubAspire: ", StringComparison.Ordinal));
                Assert.All(messages, message => Assert.Contains(message, host.Output, StringComparison.Ordinal));
                Assert.DoesNotContain("   at ", host.Output, StringComparison.Ordinal);
            });
            var lines = host.Output.Split('\n').Where(line => messages.Any(message => line.Contains(message, StringComparison.Ordinal)));
            Proof.Sentence(string.Join('\n', lines));
            await InstanceOnEngine.NothingWasMadeAsync(instance);
        }
        finally
        {
            await Uvlhub.RemoveLeftoversAsync(instance);
        }
    }
}
