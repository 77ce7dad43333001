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

    [Fault(FaultArea.Engine, "the engine is absent", Happens = "said at once, with what to do")]
    [Theory(Timeout = 120_000)]
    [InlineData("DOCKER_HOST", "unix:///nowhere/docker.sock")]
    [InlineData("PATH", "/nowhere")]
    public async Task Without_an_engine_it_is_said_what_to_do(string variable, string value) => await RefusedAsync(
        new() { [variable] = value }, [], "no container engine answers 'docker version'", "'./run' sets one up on Debian; elsewhere install and start Docker");

    [Fault(FaultArea.Engine, "buildx is absent", Happens = "said at once, with what to install")]
    [Fact(Timeout = 120_000)]
    public async Task Without_buildx_it_is_said_what_to_install()
    {
        var path = Environment.GetEnvironmentVariable("PATH")!;
        var docker = path.Split(':').Select(folder => Path.Combine(folder, "docker")).First(File.Exists);
        var client = Path.Combine(_folder.FullName, "docker");
        await File.WriteAllTextAsync(client, $"#!/bin/sh\n[ \"$1\" != buildx ] || {{ echo \"docker: 'buildx' is not a docker command.\" >&2; exit 1; }}\nexec {docker} \"$@\"\n", Cancellation);
        File.SetUnixFileMode(client, UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute);
        await RefusedAsync(new() { ["PATH"] = $"{_folder.FullName}:{path}" }, [], "the engine has no buildx plugin", "'./run' installs it on Debian");
    }

    [Fault(FaultArea.Engine, "the ports of nginx (80), MariaDB (3306) and the site (5000) are taken", Happens = "all three are named at once, with who has them and the settings that choose others")]
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
                [.. settings.Zip(ports, (setting, port) => string.Create(CultureInfo.InvariantCulture, $"is taken by {me}. Stop that, or choose another port: --{setting}={port + 1}"))]);
        }
        finally
        {
            listeners.ForEach(listener => listener.Dispose());
        }
    }

    private static async Task RefusedAsync(Dictionary<string, string> environment, IEnumerable<string> settings, params string[] messages)
    {
        environment["DOTNET_ROOT"] = Path.GetFullPath(Path.Combine(System.Runtime.InteropServices.RuntimeEnvironment.GetRuntimeDirectory(), "..", "..", ".."));
        await using var host = AppHostProcess.Start(environment, [$"--Uvlhub:Instance={Uvlhub.NewInstance()}", .. settings]);
        Assert.Equal(2, await host.EndAsync(Cancellation));
        Assert.All(messages, message => Assert.Contains(message, host.Output, StringComparison.Ordinal));
        Proof.Sentence(string.Join('\n', host.Output.Split('\n').Where(line => messages.Any(message => line.Contains(message, StringComparison.Ordinal)))));
        Assert.DoesNotContain("   at ", host.Output, StringComparison.Ordinal);
    }
}
