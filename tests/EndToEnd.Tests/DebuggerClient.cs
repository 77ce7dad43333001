using System.Globalization;
using System.Net.Sockets;
using System.Text;
using System.Text.Json;
using System.Text.Json.Nodes;

namespace UvlhubAspire.EndToEnd.Tests;

/// <summary>As much of an editor's debugger as a test needs: the Debug Adapter Protocol over a socket.</summary>
internal sealed class DebuggerClient : IDisposable
{
    private readonly TcpClient _connection;
    private readonly NetworkStream _stream;
    private int _sequence;

    private DebuggerClient(TcpClient connection) => (_connection, _stream) = (connection, connection.GetStream());

    public static async Task<DebuggerClient> ConnectAsync(int port, CancellationToken cancellationToken)
    {
        var connection = new TcpClient();
        await connection.ConnectAsync("127.0.0.1", port, cancellationToken);
        return new DebuggerClient(connection);
    }

    public async Task SendAsync(string command, JsonObject arguments, CancellationToken cancellationToken)
    {
        var body = Encoding.UTF8.GetBytes(new JsonObject
        {
            ["seq"] = ++_sequence,
            ["type"] = "request",
            ["command"] = command,
            ["arguments"] = arguments,
        }.ToJsonString());
        await _stream.WriteAsync(Encoding.ASCII.GetBytes($"Content-Length: {body.Length}\r\n\r\n"), cancellationToken);
        await _stream.WriteAsync(body, cancellationToken);
    }

    /// <summary>Reads until a message of this kind arrives (<c>event</c> and its name, <c>response</c> and its command).</summary>
    public async Task<JsonElement> ReadAsync(string type, string name, CancellationToken cancellationToken)
    {
        while (true)
        {
            var message = await ReadAsync(cancellationToken);
            if (message.GetProperty("type").GetString() == type
                && message.GetProperty(type == "event" ? "event" : "command").GetString() == name)
            {
                return message;
            }
        }
    }

    public void Dispose() => _connection.Dispose();

    private async Task<JsonElement> ReadAsync(CancellationToken cancellationToken)
    {
        var header = new StringBuilder();
        var one = new byte[1];
        while (!header.ToString().EndsWith("\r\n\r\n", StringComparison.Ordinal))
        {
            await _stream.ReadExactlyAsync(one, cancellationToken);
            header.Append((char)one[0]);
        }

        var length = header.ToString().Split("\r\n").Single(line => line.StartsWith("Content-Length:", StringComparison.OrdinalIgnoreCase));
        var body = new byte[int.Parse(length.Split(':')[1], NumberStyles.AllowLeadingWhite, CultureInfo.InvariantCulture)];
        await _stream.ReadExactlyAsync(body, cancellationToken);
        using var document = JsonDocument.Parse(body);
        return document.RootElement.Clone();
    }
}
