using System.ComponentModel;
using System.Globalization;
using CliWrap;
using CliWrap.Exceptions;

namespace UvlhubAspire.Runner.Snapshots;

/// <summary>
/// Runs MariaDB's own client programs against a database, streaming. The password travels in the environment only, where
/// <c>ps</c> does not show it, and whatever ends the run early ends the program inside the container as well.
/// </summary>
internal sealed class MariaDBProgram(DatabaseAccess database)
{
    private const string PasswordVariable = "MYSQL_PWD";
    private const int KeptErrorLines = 10;
    private const int MaximumErrorLength = 500;

    // Tells its process id, which is the program's after exec: ending the engine's command line does not end what it
    // runs (https://github.com/moby/moby/issues/9098), so the program has to be named.
    private const string Announce = "echo $$ >&2; exec \"$@\"";

    private static readonly TimeSpan s_killLimit = TimeSpan.FromSeconds(10);

    /// <summary>Runs a program until it ends.</summary>
    /// <param name="program"><c>mariadb</c> or <c>mariadb-dump</c>.</param>
    /// <param name="arguments">Its arguments after those that name server and user.</param>
    /// <param name="writeInput">Writes its standard input; none if <see langword="null"/>.</param>
    /// <param name="readOutput">Reads its standard output to the end; thrown away if <see langword="null"/>.</param>
    /// <param name="cancellationToken">Ends the program.</param>
    /// <exception cref="MariaDBProgramException">It could not run, or ended with an error; the message has its last words.</exception>
    public async Task RunAsync(
        string program,
        IReadOnlyList<string> arguments,
        Func<Stream, CancellationToken, Task>? writeInput,
        Func<Stream, CancellationToken, Task>? readOutput,
        CancellationToken cancellationToken)
    {
        var errors = new Queue<string>();
        var processId = new TaskCompletionSource<int>(TaskCreationOptions.RunContinuationsAsynchronously);
        using var stop = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        using var kill = new CancellationTokenSource();
        Exception? failure = null;

        // A stream that fails (a full disk) must end the program: nobody would take the rest of its output.
        async Task GuardAsync(Func<Stream, CancellationToken, Task> use, Stream stream)
        {
            try
            {
                await use(stream, stop.Token);
            }
            catch (Exception exception)
            {
                Interlocked.CompareExchange(ref failure, exception, null);
                await stop.CancelAsync();
            }
        }

        void ReadError(string line)
        {
            // The engine's own refusals come here too, before any program could tell its id.
            if (database.Container is not null && !processId.Task.IsCompleted
                && int.TryParse(line, NumberStyles.None, CultureInfo.InvariantCulture, out var id))
            {
                processId.SetResult(id);
                return;
            }

            lock (errors)
            {
                errors.Enqueue(line.Length > MaximumErrorLength ? $"{line[..MaximumErrorLength]}…" : line);
                if (errors.Count > KeptErrorLines)
                {
                    errors.Dequeue();
                }
            }
        }

        var command = Command(program, arguments)
            .WithStandardInputPipe(writeInput is null ? PipeSource.Null : PipeSource.Create((stream, _) => GuardAsync(writeInput, stream)))
            // Not PipeTarget.Null: that closes the pipe, and a program that prints a word ends there.
            .WithStandardOutputPipe(
                readOutput is null ? PipeTarget.ToStream(Stream.Null) : PipeTarget.Create((stream, _) => GuardAsync(readOutput, stream)))
            .WithStandardErrorPipe(PipeTarget.ToDelegate(ReadError))
            .WithValidation(CommandResultValidation.None);

        CommandTask<CommandResult> running;
        try
        {
            running = command.ExecuteAsync(kill.Token);
        }
        catch (Exception exception) when (exception is Win32Exception or CliWrapException)
        {
            throw new MariaDBProgramException(
                database.Container is null
                    ? $"{program} is not on this machine ({exception.Message}): install MariaDB's client programs"
                    : $"the container engine '{database.Engine}' cannot be run ({exception.Message})");
        }

        await Task.WhenAny(running.Task, Canceled(stop.Token));
        var isEndedByUs = !running.Task.IsCompleted;
        if (isEndedByUs)
        {
            if (database.Container is not null)
            {
                // It may not have told its process id yet.
                await Task.WhenAny(running.Task, processId.Task, Task.Delay(s_killLimit, CancellationToken.None));
            }

            await kill.CancelAsync();
        }

        CommandResult? result = null;
        try
        {
            result = await running;
        }
        catch (OperationCanceledException)
        {
            // Said below, with the reason for it.
        }

        if (isEndedByUs && processId.Task.IsCompletedSuccessfully)
        {
            await KillInContainerAsync(processId.Task.Result);
        }

        cancellationToken.ThrowIfCancellationRequested();
        string said;
        lock (errors)
        {
            said = string.Join(Environment.NewLine, errors.Where(line => line.Length > 0));
        }

        // The program's own words explain more than what its end did to our stream.
        if (result is { ExitCode: not 0 })
        {
            throw new MariaDBProgramException(said.Length > 0
                ? $"{program} ended with exit code {result.ExitCode}: {said}"
                : $"{program} ended with exit code {result.ExitCode}; {Killed(result.ExitCode)}");
        }

        if (failure is not null)
        {
            System.Runtime.ExceptionServices.ExceptionDispatchInfo.Throw(failure);
        }
    }

    private Command Command(string program, IReadOnlyList<string> arguments)
    {
        var parts = database.Parts;
        // No option file may add to this: what is in the dump must not depend on somebody's ~/.my.cnf.
        List<string> programArguments =
        [
            "--no-defaults",
            "--protocol=tcp",
            $"--host={(database.Container is null ? parts.Server : "127.0.0.1")}",
            string.Create(
                CultureInfo.InvariantCulture, $"--port={(database.Container is null ? (int)parts.Port : database.ContainerPort)}"),
            $"--user={parts.UserID}",
            // The server's certificate is one that it made for itself.
            "--skip-ssl-verify-server-cert",
            "--default-character-set=utf8mb4",
            "--max-allowed-packet=1G",
            .. arguments,
        ];
        return (database.Container is null
                ? Cli.Wrap(program).WithArguments(programArguments)
                : Cli.Wrap(database.Engine).WithArguments(
                    ["exec", "--interactive", "--env", PasswordVariable, database.Container, "sh", "-c", Announce, "sh", program, .. programArguments]))
            .WithEnvironmentVariables(environment => environment.Set(PasswordVariable, parts.Password));
    }

    // Only after the engine's command line is gone: while nobody takes the output of one command, the engine does not
    // report the end of another one in the same container.
    private async Task KillInContainerAsync(int processId)
    {
        using var limit = new CancellationTokenSource(s_killLimit);
        try
        {
            await Cli.Wrap(database.Engine)
                .WithArguments(
                    ["exec", database.Container!, "sh", "-c", "kill -9 \"$1\"", "sh", processId.ToString(CultureInfo.InvariantCulture)])
                .WithValidation(CommandResultValidation.None)
                .ExecuteAsync(limit.Token);
        }
        catch (Exception exception) when (exception is OperationCanceledException or Win32Exception or CliWrapException)
        {
            // The engine is gone or busy, and the container with it; there is no other way to the program.
        }
    }

    private static Task Canceled(CancellationToken cancellationToken)
    {
        var canceled = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        cancellationToken.Register(canceled.SetResult);
        return canceled.Task;
    }

    // 137 is 128 + SIGKILL, https://www.gnu.org/software/bash/manual/html_node/Exit-Status.html.
    private static string Killed(int exitCode) =>
        exitCode == 137 ? "it was killed, for lack of memory or because its container ended" : "it gave no reason";
}

/// <summary>A program of MariaDB could not run, or ended with an error.</summary>
/// <param name="message">Which, and its last words.</param>
internal sealed class MariaDBProgramException(string message) : Exception(message);
