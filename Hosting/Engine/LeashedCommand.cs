using CliWrap;

namespace UvlhubAspire.Engine;

/// <summary>
/// A command inside a running container that lives exactly as long as the process here that started it. The engine does
/// not end what <c>exec</c> started when its own client ends, so the command is tied to the client's end of a pipe.
/// </summary>
public static class LeashedCommand
{
    // Standard input stays open while the caller lives. When it ends, whatever ended it, the read returns and the whole
    // process group of the command goes, children included. The command's own input is empty.
    private const string Leash = """
        exec 3<&0 </dev/null
        setsid "$@" 3<&- &
        command=$!
        ( read -r _ <&3; kill -KILL -"$command" ) >/dev/null 2>&1 &
        leash=$!
        exec 3<&-
        wait "$command"
        code=$?
        kill "$leash" 2>/dev/null
        exit "$code"
        """;

    /// <summary>Makes the command; cancelling its execution ends everything that it started.</summary>
    /// <param name="engine">The engine.</param>
    /// <param name="container">The container's name.</param>
    /// <param name="words">The command's words.</param>
    /// <param name="environment">Variables beside those of the container; values may be secret, they are in no command line.</param>
    /// <returns>A command that has its input and no output yet, and does not complain about an exit code.</returns>
    public static Command Create(ContainerEngine engine, string container, IReadOnlyList<string> words, IReadOnlyDictionary<string, string>? environment = null)
    {
        var variables = environment ?? new Dictionary<string, string>();
        return Cli.Wrap(engine.Executable)
            .WithArguments(["exec", "--interactive", .. variables.Keys.SelectMany(name => new[] { "--env", name }), container, "sh", "-c", Leash, "sh", .. words])
            // The engine's client takes the value of a variable that is only named from its own environment.
            .WithEnvironmentVariables(variables.ToDictionary(variable => variable.Key, variable => (string?)variable.Value))
            .WithStandardInputPipe(PipeSource.Create((_, token) => Task.Delay(Timeout.Infinite, token)))
            .WithValidation(CommandResultValidation.None);
    }
}
