using System.Collections.Concurrent;
using System.Text.Json.Nodes;
using CliWrap;

namespace UvlhubAspire.Bench;

/// <summary>What the engine says of containers while something starts.</summary>
internal sealed class EngineEvents : IAsyncDisposable
{
    private readonly ConcurrentQueue<EngineEvent> _events = new();
    private readonly CancellationTokenSource _ending = new();
    private readonly Task _reading;

    private EngineEvents() => _reading = ReadAsync();

    /// <summary>Starts listening.</summary>
    public static async Task<EngineEvents> ListenAsync(CancellationToken cancellationToken)
    {
        var events = new EngineEvents();
        // The client needs a moment to connect; what happens before that would be missed.
        await Task.Delay(300, cancellationToken);
        return events;
    }

    /// <summary>Everything so far.</summary>
    public IReadOnlyList<EngineEvent> All => [.. _events];

    /// <inheritdoc/>
    public async ValueTask DisposeAsync()
    {
        await _ending.CancelAsync();
        await _reading;
        _ending.Dispose();
    }

    private async Task ReadAsync()
    {
        try
        {
            await Cli.Wrap("docker")
                .WithArguments(["events", "--filter", "type=container", "--format", "{{json .}}"])
                .WithStandardOutputPipe(PipeTarget.ToDelegate(Add))
                .WithValidation(CommandResultValidation.None)
                .ExecuteAsync(_ending.Token);
        }
        catch (OperationCanceledException)
        {
            // Nothing more is wanted.
        }
    }

    private void Add(string line)
    {
        if (JsonNode.Parse(line) is { } node)
        {
            var attributes = node["Actor"]?["Attributes"];
            _events.Enqueue(new EngineEvent(
                DateTimeOffset.UnixEpoch.AddTicks(node["timeNano"]!.GetValue<long>() / 100),
                node["Action"]?.GetValue<string>() ?? "",
                attributes?["name"]?.GetValue<string>() ?? "",
                attributes?["execID"]?.GetValue<string>() ?? ""));
        }
    }
}

/// <summary>One event.</summary>
/// <param name="Time">When it happened.</param>
/// <param name="Action">What happened; of a command in a container also its words.</param>
/// <param name="Container">The container's name.</param>
/// <param name="Execution">The command's id.</param>
internal sealed record EngineEvent(DateTimeOffset Time, string Action, string Container, string Execution);
