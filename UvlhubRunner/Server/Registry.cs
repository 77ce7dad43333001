using System.Net;
using System.Net.Sockets;
using System.Text.Json.Nodes;

namespace UvlhubAspire.Runner.Server;

/// <summary>What registries have, asked by way of the engine, which reaches them: no command of its own tells without a pull that gives
/// the name to what was pulled.</summary>
internal sealed class Registry : IDisposable
{
    private const string Socket = "/var/run/docker.sock";
    private static readonly TimeSpan s_limit = TimeSpan.FromMinutes(1);

    private readonly HttpClient _engine = new(new SocketsHttpHandler { ConnectCallback = ConnectAsync })
    {
        BaseAddress = new Uri("http://engine/"),
        Timeout = s_limit,
    };

    /// <summary>The digest of what a name with its tag stands for now.</summary>
    /// <exception cref="UserErrorException">The registry, or the engine, does not say; the message has why.</exception>
    public async Task<string> DigestAsync(string name, CancellationToken cancellationToken)
    {
        try
        {
            using var answer = await _engine.GetAsync(new Uri($"distribution/{name}/json", UriKind.Relative), cancellationToken);
            var text = JsonNode.Parse(await answer.Content.ReadAsStringAsync(cancellationToken));
            return answer.StatusCode == HttpStatusCode.OK
                ? (string)text!["Descriptor"]!["digest"]!
                : throw new UserErrorException($"the registry does not tell what {name} is: {(string?)text?["message"]}");
        }
        catch (Exception failure) when (failure is HttpRequestException
            || (failure is OperationCanceledException && !cancellationToken.IsCancellationRequested))
        {
            throw new UserErrorException($"the engine does not answer on {Socket}: {failure.Message}");
        }
    }

    public void Dispose() => _engine.Dispose();

    private static async ValueTask<Stream> ConnectAsync(SocketsHttpConnectionContext context, CancellationToken cancellationToken)
    {
        var socket = new System.Net.Sockets.Socket(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
        try
        {
            await socket.ConnectAsync(new UnixDomainSocketEndPoint(Socket), cancellationToken);
            return new NetworkStream(socket, ownsSocket: true);
        }
        catch
        {
            socket.Dispose();
            throw;
        }
    }
}
