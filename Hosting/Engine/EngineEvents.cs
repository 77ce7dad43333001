using System.Globalization;
using System.Runtime.CompilerServices;
using CliWrap;
using CliWrap.EventStream;
using CliWrap.Exceptions;

namespace UvlhubAspire.Engine;

/// <summary>What the engine tells of containers while it runs.</summary>
/// <param name="engine">The engine.</param>
public sealed class EngineEvents(ContainerEngine engine)
{
    private static readonly TimeSpan s_limit = TimeSpan.FromSeconds(10);

    /// <summary>The ids of containers that die, as they do. It ends when the engine, or its client, does.</summary>
    /// <param name="since">Tells of those, too, that have died since then.</param>
    /// <param name="cancellationToken">Ends it.</param>
    public async IAsyncEnumerable<string> DeathsAsync(DateTimeOffset since, [EnumeratorCancellation] CancellationToken cancellationToken)
    {
        var command = Cli.Wrap(engine.Executable)
            .WithArguments(
            [
                "events", "--filter", "type=container", "--filter", "event=die", "--format", "{{.Actor.ID}}",
                "--since", since.ToUnixTimeSeconds().ToString(CultureInfo.InvariantCulture),
            ])
            .WithValidation(CommandResultValidation.None);
        await using var events = command.ListenAsync(cancellationToken).GetAsyncEnumerator(cancellationToken);
        while (await NextAsync(events))
        {
            if (events.Current is StandardOutputCommandEvent line)
            {
                yield return line.Text.Trim();
            }
        }
    }

    /// <summary>Why the engine does not answer; <see langword="null"/> if it does.</summary>
    public async Task<string?> RefusalAsync(CancellationToken cancellationToken)
    {
        var version = await engine.RunAsync(s_limit, cancellationToken, "version", "--format", "{{.Server.Version}}");
        return version.Succeeded ? null : version.Error.Split('\n')[^1];
    }

    private static async Task<bool> NextAsync(IAsyncEnumerator<CommandEvent> events)
    {
        try
        {
            return await events.MoveNextAsync();
        }
        catch (Exception exception) when (exception is System.ComponentModel.Win32Exception or CliWrapException)
        {
            // The client cannot be started: nothing is told.
            return false;
        }
    }
}
