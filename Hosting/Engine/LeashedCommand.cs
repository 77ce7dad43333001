using CliWrap;

namespace UvlhubAspire.Engine;

/// <summary>
/// A command, in a running container or here, that lives exactly as long as the process here that started it. The engine does
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
    public static Command Create(
        ContainerEngine engine, string container, IReadOnlyList<string> words, IReadOnlyDictionary<string, string> environment) =>
        // The engine's client takes the value of a variable that is only named from its own environment.
        Leashed(
            engine.Executable,
            ["exec", "--interactive", .. environment.Keys.SelectMany(name => new[] { "--env", name }), container, "sh"],
            words,
            environment);

    /// <summary>The same on this machine.</summary>
    /// <param name="folder">Where it runs.</param>
    /// <param name="words">The command's words.</param>
    /// <param name="environment">Variables beside those of this process.</param>
    public static Command CreateHere(string folder, IReadOnlyList<string> words, IReadOnlyDictionary<string, string> environment) =>
        Leashed("sh", [], words, environment).WithWorkingDirectory(folder);

    private static Command Leashed(
        string program, IEnumerable<string> before, IEnumerable<string> words, IReadOnlyDictionary<string, string> environment) => Cli
        .Wrap(program)
        .WithArguments([.. before, "-c", Leash, "sh", .. words])
        .WithEnvironmentVariables(environment.ToDictionary(variable => variable.Key, variable => (string?)variable.Value))
        .WithStandardInputPipe(PipeSource.Create((_, token) => Task.Delay(Timeout.Infinite, token)))
        .WithValidation(CommandResultValidation.None);
}
