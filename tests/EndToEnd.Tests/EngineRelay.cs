using System.Collections.Concurrent;
using System.Net.Sockets;

namespace UvlhubAspire.EndToEnd.Tests;

/// <summary>
/// A way to the machine's engine that a test can cut: to those who use it the engine is gone then, and nobody else
/// notices anything.
/// </summary>
internal sealed class EngineRelay : IDisposable
{
    private const string Engine = "/var/run/docker.sock";
    private readonly DirectoryInfo _folder = Directory.CreateTempSubdirectory("uvlhub-aspire-engine-");
    private readonly ConcurrentBag<Socket> _open = [];
    private Socket? _listener;

    public EngineRelay() => Restore();

    private string Path => System.IO.Path.Combine(_folder.FullName, "docker.sock");

    /// <summary>The value of <c>DOCKER_HOST</c> that leads here.</summary>
    public string Address => $"unix://{Path}";

    /// <summary>Ends every connection and takes no new one.</summary>
    public void Cut()
    {
        _listener?.Dispose();
        _listener = null;
        File.Delete(Path);
        while (_open.TryTake(out var socket))
        {
            socket.Dispose();
        }
    }

    /// <summary>Takes connections again.</summary>
    public void Restore()
    {
        _listener = Listen(new UnixDomainSocketEndPoint(Path));
        _ = AcceptAsync(_listener);
    }

    public void Dispose()
    {
        Cut();
        _folder.Delete(recursive: true);
    }

    private static Socket Listen(UnixDomainSocketEndPoint end)
    {
        var listener = new Socket(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
        listener.Bind(end);
        listener.Listen();
        return listener;
    }

    private async Task AcceptAsync(Socket listener)
    {
        try
        {
            while (true)
            {
                var client = await listener.AcceptAsync();
                var engine = new Socket(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
                _open.Add(client);
                _open.Add(engine);
                if (_listener != listener)
                {
                    // Taken at the moment of the cut, which did not see it.
                    client.Dispose();
                }

                _ = ConnectAsync(client, engine);
            }
        }
        catch (Exception exception) when (exception is SocketException or ObjectDisposedException)
        {
            // Cut.
        }
    }

    private static async Task ConnectAsync(Socket client, Socket engine)
    {
        using (client)
        using (engine)
        {
            try
            {
                await engine.ConnectAsync(new UnixDomainSocketEndPoint(Engine));
            }
            catch (Exception exception) when (exception is SocketException or ObjectDisposedException)
            {
                // Of one connection: the next is taken all the same.
                return;
            }

            await Task.WhenAll(PassAsync(client, engine), PassAsync(engine, client));
        }
    }

    private static async Task PassAsync(Socket from, Socket to)
    {
        try
        {
            var buffer = new byte[65536];
            int read;
            while ((read = await from.ReceiveAsync(buffer)) > 0)
            {
                for (var sent = 0; sent < read;)
                {
                    sent += await to.SendAsync(buffer.AsMemory(sent, read - sent));
                }
            }

            // Half of a connection may end before the other: the engine's answer to 'exec' comes after its input's end.
            to.Shutdown(SocketShutdown.Send);
        }
        catch (Exception exception) when (exception is SocketException or ObjectDisposedException)
        {
            // Cut, or one side has gone.
        }
    }
}
