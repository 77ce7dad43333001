using System.ComponentModel;
using System.Globalization;
using System.Runtime.ExceptionServices;
using System.Text.RegularExpressions;
using CliWrap;
using CliWrap.Exceptions;

namespace UvlhubAspire.Runner.Snapshots;

/// <summary>
/// Runs MariaDB's own client programs against a database, streaming. The password travels in the environment only, where
/// <c>ps</c> does not show it, and whatever ends the run early ends the program inside the container as well.
/// </summary>
internal sealed partial class MariaDBProgram(DatabaseAccess database)
{
    private const string PasswordVariable = "MYSQL_PWD";
    private const int MaximumErrorLength = 500;

    // Tells its process id, which is the program's after exec: ending the engine's command line does not end what it
    // runs (https://github.com/moby/moby/issues/9098), so the program has to be named.
    private const string Announce = "echo $$ >&2; exec \"$@\"";

    private static readonly TimeSpan s_killLimit = TimeSpan.FromSeconds(10);

    /// <summary>Runs a program until it ends.</summary>
    /// <param name="arguments">Its arguments after those that name server and user.</param>
    /// <param name="writeInput">Writes its standard input; none if <see langword="null"/>.</param>
    /// <param name="readOutput">Reads its standard output to the end; thrown away if <see langword="null"/>.</param>
    /// <exception cref="MariaDBProgramException">It could not run, or ended with an error; the message has its last words.</exception>
    public async Task RunAsync(
        string program,
        IReadOnlyList<string> arguments,
        Func<Stream, CancellationToken, Task>? writeInput,
        Func<Stream, CancellationToken, Task>? readOutput,
        CancellationToken cancellationToken)
    {
        var started = TimeProvider.System.GetTimestamp();
        while (!await TryAsync(
            program, arguments, writeInput, readOutput, isLast: TimeProvider.System.GetElapsedTime(started) > database.LockTimeout,
            cancellationToken))
        {
            await Task.Delay(DatabaseAccess.Pause, cancellationToken);
        }
    }

    /// <returns>Whether it ran; not so if the server lets its user have no further connection just now.</returns>
    private async Task<bool> TryAsync(
        string program,
        IReadOnlyList<string> arguments,
        Func<Stream, CancellationToken, Task>? writeInput,
        Func<Stream, CancellationToken, Task>? readOutput,
        bool isLast,
        CancellationToken cancellationToken)
    {
        using var run = new Run(database, cancellationToken);
        var command = Command(program, arguments)
            .WithStandardInputPipe(
                writeInput is null ? PipeSource.Null : PipeSource.Create((stream, _) => run.UseAsync(writeInput, stream)))
            // Not PipeTarget.Null: that closes the pipe, and a program that prints a word ends there.
            .WithStandardOutputPipe(
                readOutput is null ? PipeTarget.ToStream(Stream.Null) : PipeTarget.Create((stream, _) => run.UseAsync(readOutput, stream)))
            .WithStandardErrorPipe(PipeTarget.ToDelegate(run.ReadError))
            .WithValidation(CommandResultValidation.None);
        int? exitCode;
        try
        {
            exitCode = await run.ExecuteAsync(command);
        }
        catch (Exception exception) when (exception is Win32Exception or CliWrapException)
        {
            throw new MariaDBProgramException(
                database.Container is null
                    ? $"{program} is not on this machine ({exception.Message}): install MariaDB's client programs"
                    : $"the container engine '{database.Engine}' cannot be run ({exception.Message})");
        }

        cancellationToken.ThrowIfCancellationRequested();
        // The program's own words explain more than what its end did to our stream.
        if (exitCode is not (null or 0))
        {
            if (!isLast && IsFull().IsMatch(run.Errors.ToString()))
            {
                return false;
            }

            throw new MariaDBProgramException(run.Errors.Lines.Count > 0
                ? $"{program} ended with exit code {exitCode}: {run.Errors}"
                : $"{program} ended with exit code {exitCode}; {Killed(exitCode.Value)}");
        }

        run.Failure?.Throw();
        return true;
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
            .. TlsArguments(parts),
            "--default-character-set=utf8mb4",
            "--max-allowed-packet=1G",
            .. arguments,
        ];
        return (database.Container is null
                ? Cli.Wrap(program).WithArguments(programArguments)
                : Cli.Wrap(database.Engine).WithArguments(
                    [
                        "exec", "--interactive", "--env", PasswordVariable, database.Container, "sh", "-c", Announce, "sh", program,
                        .. programArguments,
                    ]))
            .WithEnvironmentVariables(environment => environment.Set(PasswordVariable, parts.Password));
    }

    private IEnumerable<string> TlsArguments(MySqlConnectionStringBuilder parts) =>
        database.Container is null && parts.SslMode is MySqlSslMode.VerifyFull
            ? ["--ssl", "--ssl-verify-server-cert", .. parts.SslCa.Length > 0 ? [$"--ssl-ca={parts.SslCa}"] : Array.Empty<string>()]
            // The certificate is one that a server in the same container or network made for itself.
            : ["--skip-ssl-verify-server-cert"];

    // The client's own words, before it has read or written anything.
    [GeneratedRegex(@"\bERROR:? (1040|1203|1226)\b", RegexOptions.IgnoreCase)]
    private static partial Regex IsFull();

    // 137 is 128 + SIGKILL, https://www.gnu.org/software/bash/manual/html_node/Exit-Status.html.
    private static string Killed(int exitCode) =>
        exitCode == 137 ? "it was killed, for lack of memory or because its container ended" : "it gave no reason";

    /// <summary>One run of a program: its last words, and whatever ends it early.</summary>
    private sealed class Run(DatabaseAccess database, CancellationToken cancellationToken) : IDisposable
    {
        private readonly TaskCompletionSource<int> _processId = new(TaskCreationOptions.RunContinuationsAsynchronously);
        private readonly CancellationTokenSource _stop = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        private readonly CancellationTokenSource _kill = new();
        private ExceptionDispatchInfo? _failure;

        public OutputTail Errors { get; } = new(_ => { }, kept: 10);

        /// <summary>What went wrong on this side of the streams.</summary>
        public ExceptionDispatchInfo? Failure => _failure;

        /// <summary>Uses a stream. One that fails (a full disk) ends the program: nobody would take the rest of its output.</summary>
        public async Task UseAsync(Func<Stream, CancellationToken, Task> use, Stream stream)
        {
            try
            {
                await use(stream, _stop.Token);
            }
            catch (Exception exception)
            {
                Interlocked.CompareExchange(ref _failure, ExceptionDispatchInfo.Capture(exception), null);
                await _stop.CancelAsync();
            }
        }

        public void ReadError(string line)
        {
            // The engine's own refusals come here too, before any program could tell its id.
            if (database.Container is not null && !_processId.Task.IsCompleted
                && int.TryParse(line, NumberStyles.None, CultureInfo.InvariantCulture, out var id))
            {
                _processId.SetResult(id);
                return;
            }

            Errors.Add(line.Length > MaximumErrorLength ? $"{line[..MaximumErrorLength]}…" : line);
        }

        /// <summary>Runs the command until it ends or has to.</summary>
        /// <returns>The exit code; <see langword="null"/> if it had to be ended.</returns>
        public async Task<int?> ExecuteAsync(Command command)
        {
            var running = command.ExecuteAsync(_kill.Token);
            try
            {
                return (await running.Task.WaitAsync(_stop.Token)).ExitCode;
            }
            catch (OperationCanceledException)
            {
                if (database.Container is not null)
                {
                    // It may not have told its process id yet.
                    await Task.WhenAny(running.Task, _processId.Task, Task.Delay(s_killLimit, CancellationToken.None));
                }

                await _kill.CancelAsync();
            }

            try
            {
                return (await running).ExitCode;
            }
            catch (OperationCanceledException)
            {
                return null;
            }
            finally
            {
                await KillInContainerAsync();
            }
        }

        public void Dispose()
        {
            _stop.Dispose();
            _kill.Dispose();
        }

        // Only after the engine's command line is gone: while nobody takes the output of one command, the engine does not
        // report the end of another one in the same container.
        private async Task KillInContainerAsync()
        {
            if (_processId.Task.IsCompletedSuccessfully)
            {
                // Should the engine be gone or busy, and the container with it, there is no other way to the program.
                await new ContainerEngine(database.Engine).RunAsync(
                    s_killLimit, CancellationToken.None, "exec", database.Container!, "sh", "-c", "kill -9 \"$1\"", "sh",
                    _processId.Task.Result.ToString(CultureInfo.InvariantCulture));
            }
        }
    }
}

/// <summary>A program of MariaDB could not run, or ended with an error.</summary>
internal sealed class MariaDBProgramException(string message) : Exception(message);
