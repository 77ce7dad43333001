using System.Net;
using System.Net.Security;
using System.Net.Sockets;
using System.Security.Cryptography.X509Certificates;
using UvlhubAspire.Hosting.Containers;
using Xunit;

namespace UvlhubAspire.EndToEnd.Tests;

/// <summary>
/// A server that follows a registry: the sample with a worker, in a swarm of one node, over TLS with a certificate of an authority that runs
/// beside it. Its team pushes to the registry; nobody deploys but the stack's own updater.
/// </summary>
public sealed class UpdatedSwarm : IAsyncLifetime
{
    private static readonly TimeSpan s_limit = TimeSpan.FromSeconds(60);

    private readonly DirectoryInfo _folder = Directory.CreateTempSubdirectory("uvlhub-aspire-update-");
    private LocalRegistry? _registry;
    private InnerEngine? _engine;
    private string _secure = "";

    public string Name { get; } = Uvlhub.NewInstance();

    public SampleCheckout Checkout { get; } = new();

    /// <summary>Where people find the site.</summary>
    public Uri Site { get; } = new($"https://{RunningProduction.Domain}/");

    internal InnerEngine Engine => _engine ?? throw new InvalidOperationException("not started");

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    public async ValueTask InitializeAsync()
    {
        RunningProduction.FillIn(Checkout);
        RunningProduction.AddWorker(Checkout);
        await File.AppendAllTextAsync(
            Checkout.File(".env"), $"\nWEBHOOK_TOKEN={RunningProduction.WebhookToken}\nREDIS_URL=redis://redis:6379\n", Cancellation);
        File.Move(Checkout.File(".env"), Checkout.File(".env.production"));
        await Uvlhub.EngineAsync(s_limit, Cancellation, "network", "create", $"{Name}_nodes");
        _registry = await LocalRegistry.StartAsync($"{Name}_registry", Cancellation);
        await Uvlhub.EngineAsync(s_limit, Cancellation, "network", "connect", $"{Name}_nodes", $"{Name}_registry");
        _engine = await InnerEngine.StartAsync(
            $"{Name}_server", _folder.CreateSubdirectory("engine").FullName, Cancellation,
            "--network", $"{Name}_nodes", "--publish", "127.0.0.1:0:443");
        _secure = await Engine.PortAsync("443/tcp", Cancellation);
        await Engine.ReachRegistryAsync(_registry.Address, $"{Name}_registry", Cancellation);
        var standIns = await Task.WhenAll(
            ((string[])["flask", "mariadb", "nginx", "redis", "operator", "certbot", "pebble"]).Select(TestContainer.EnsureImageAsync));
        await Engine.LoadAsync([DebianBase.Image, .. standIns], Cancellation);
        await AskAsync("swarm", "init", "--advertise-addr", "eth0");
        await MakeAuthorityAsync(standIns[^1]);
        Assert.True(await DeployAsync() is (true, _));
    }

    /// <summary>Has the authority answer, which it did not at first.</summary>
    public Task StartAuthorityAsync() => AskAsync("start", "pebble");

    /// <summary>Deploys, as a person does.</summary>
    public Task<(bool Succeeds, string Output)> DeployAsync(params string[] settings) => StepAsync("deploy", settings);

    /// <summary>Builds what the checkout holds and pushes it under the name that the server runs, as a team's workflow does.</summary>
    public async Task PushAsync()
    {
        var (succeeds, output) = await StepAsync("push-images");
        Assert.True(succeeds, output);
    }

    /// <summary>Runs a verb of UvlhubRunner with nothing but the engine's socket, as a server's owner does.</summary>
    public async Task<string> RunnerAsync(params string[] words) => await AskAsync(
    [
        "run", "--rm", "--volume", "/var/run/docker.sock:/var/run/docker.sock", "--entrypoint", "UvlhubRunner",
        await ImageAsync("migrator"), .. words,
    ]);

    /// <summary>The image that a service runs.</summary>
    public Task<string> ImageAsync(string service) => AskAsync(
        "service", "inspect", "--format", "{{.Spec.TaskTemplate.ContainerSpec.Image}}", $"{Name}_{service}");

    /// <summary>What a service has said.</summary>
    public Task<string> LogAsync(string service) => Engine.RunAsync(
        Cancellation, "sh", "-c", "docker service logs --raw \"$0\" 2>&1", $"{Name}_{service}");

    /// <summary>Runs a command inside the container of a service.</summary>
    public async Task<string> InsideAsync(string service, params string[] command)
    {
        var containers = await Eventually.IsAsync(
            () => AskAsync("ps", "--quiet", "--filter", $"label=com.docker.swarm.service.name={Name}_{service}"),
            ids => ids.Length > 0, what: $"a container of {service}");
        return await AskAsync(["exec", containers.Split('\n')[0], .. command]);
    }

    /// <summary>Runs a command of the server's engine.</summary>
    public Task<string> AskAsync(params string[] words) => Engine.RunAsync(Cancellation, ["docker", .. words]);

    /// <summary>Asks the database.</summary>
    public Task<string> SqlAsync(string sql) => InsideAsync("db", "sh", "-c", RunningSwarm.Sql, sql);

    /// <summary>The serial number of the certificate with which the site is served; empty while it is not.</summary>
    public async Task<string> ServedAsync()
    {
        var serial = "";
        using var client = new HttpClient(Connection(certificate => serial = certificate.GetSerialNumberString()));
        try
        {
            (await client.GetAsync(Site, Cancellation)).EnsureSuccessStatusCode();
            return serial;
        }
        catch (HttpRequestException)
        {
            return "";
        }
    }

    /// <summary>Asks for a deployment, as uvlhub's own workflow does.</summary>
    public async Task<HttpStatusCode> WebhookAsync(string token)
    {
        using var client = new HttpClient(Connection());
        using var request = new HttpRequestMessage(HttpMethod.Post, new Uri(Site, "/webhook/deploy"));
        request.Headers.Authorization = new("Bearer", token);
        using var answer = await client.SendAsync(request, Cancellation);
        return answer.StatusCode;
    }

    /// <summary>A connection to <see cref="Site"/>, which no name server knows.</summary>
    /// <param name="see">Sees the certificate.</param>
    public SocketsHttpHandler Connection(Action<X509Certificate>? see = null) => new()
    {
        ConnectCallback = async (_, cancellationToken) =>
        {
            var socket = new Socket(SocketType.Stream, ProtocolType.Tcp);
            try
            {
                await socket.ConnectAsync(IPEndPoint.Parse(_secure), cancellationToken);
                return new NetworkStream(socket, ownsSocket: true);
            }
            catch
            {
                socket.Dispose();
                throw;
            }
        },
        SslOptions = new SslClientAuthenticationOptions
        {
            RemoteCertificateValidationCallback = (_, certificate, _, errors) =>
            {
                see?.Invoke(certificate!);
                // The authority's root is nobody's; the name must be right.
                return !errors.HasFlag(SslPolicyErrors.RemoteCertificateNameMismatch);
            },
        },
    };

    /// <summary>Somebody who uses the site.</summary>
    internal Visitor Visitor() => new(Site, Connection());

    /// <summary>People who use the site all the time.</summary>
    internal Load Load() => new(Site, connection: () => Connection());

    public async ValueTask DisposeAsync()
    {
        foreach (var part in (IAsyncDisposable?[])[_engine, _registry])
        {
            if (part is not null)
            {
                await part.DisposeAsync();
            }
        }

        await Uvlhub.RemoveLeftoversAsync(Name);
        _folder.Delete(recursive: true);
        Checkout.Dispose();
    }

    // On the stack's network, which is there before the stack for that.
    private async Task MakeAuthorityAsync(string image)
    {
        await AskAsync(
            "network", "create", "--driver", "overlay", "--attachable", "--label", $"com.docker.stack.namespace={Name}", $"{Name}_uvlhub_network");
        await AskAsync(
            "run", "--detach", "--name", "pebble", "--network", $"{Name}_uvlhub_network", "--env", "PEBBLE_WFE_NONCEREJECT=0",
            "--add-host", $"{RunningProduction.Domain}:host-gateway", image);
        var certificate = await Eventually.IsAsync(
            () => AskAsync("exec", "pebble", "sh", "-c", "cat /etc/pebble/tls/cert.pem 2>/dev/null || true"),
            text => text.Contains("END CERTIFICATE", StringComparison.Ordinal), what: "the authority's own certificate");
        await File.WriteAllTextAsync(Authority, certificate, Cancellation);
        await AskAsync("stop", "pebble");
    }

    private string Authority => Path.Combine(_folder.FullName, "authority.pem");

    private Task<(bool Succeeds, string Output)> StepAsync(string step, params string[] settings) => Published.TryStepAsync(
        step, Path.Combine(_folder.FullName, "out"), Checkout, $"unix://{_folder.FullName}/engine/docker.sock", Cancellation,
        [
            $"--Uvlhub:Publish:Name={Name}", $"--Uvlhub:Publish:Registry={_registry!.Address}", "--Uvlhub:Version=main",
            "--Uvlhub:Gunicorn:Workers=1", $"--Uvlhub:Domain={RunningProduction.Domain}", "--Uvlhub:Certificate:Email=owner@example.org",
            "--Uvlhub:Certificate:Authority=https://pebble:14000/dir", $"--Uvlhub:Certificate:AuthorityFile={Authority}",
            "--Uvlhub:Updates:Webhook=true", .. settings,
        ]);
}
