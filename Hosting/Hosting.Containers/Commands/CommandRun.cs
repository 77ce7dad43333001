using CliWrap;
using CliWrap.Exceptions;
using Microsoft.Extensions.Logging;

namespace UvlhubAspire.Hosting.Containers;

/// <summary>How a program that a command of the dashboard ran has ended.</summary>
/// <param name="ExitCode">Its exit code.</param>
/// <param name="Answer">What it printed to standard output, without the rest of its log.</param>
/// <param name="Tail">The last lines of all that it printed; they hold the cause if it failed.</param>
public sealed record CommandOutcome(int ExitCode, IReadOnlyList<string> Answer, string Tail)
{
    /// <summary>Whether the exit code was 0.</summary>
    public bool Succeeded => ExitCode == 0;

    /// <summary>The answer as one text.</summary>
    public string Text => string.Join(Environment.NewLine, Answer);
}

/// <summary>Runs the programs of the dashboard's commands: their output goes to the resource's log line by line, and none
/// runs without a limit.</summary>
public static class CommandRun
{
    // What a person reads in a dialog; the log has all of it.
    private const int MostLines = 2000;

    /// <summary>Runs a program to its end.</summary>
    /// <param name="program">The program; its output is taken here.</param>
    /// <param name="log">The log of the resource whose command it is.</param>
    /// <param name="limit">After this it is ended.</param>
    /// <param name="grace">How long it may take to end after it was asked to (Ctrl+C); zero for one that is simply ended.</param>
    /// <param name="cancellationToken">Ends it.</param>
    /// <exception cref="TimeoutException">The limit was reached.</exception>
    /// <exception cref="InvalidOperationException">The program cannot be started.</exception>
    public static async Task<CommandOutcome> ExecuteAsync(
        Command program, ILogger log, TimeSpan limit, TimeSpan grace, CancellationToken cancellationToken)
    {
        List<string> answer = [];
        var tail = new OutputTail(line => CommandLog.Output(log, line));
        using var asked = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        asked.CancelAfter(limit);
        using var forced = new CancellationTokenSource();
        await using var force = asked.Token.Register(() => forced.CancelAfter(grace));
        try
        {
            var result = await program
                .WithStandardOutputPipe(PipeTarget.ToDelegate(line =>
                {
                    if (answer.Count < MostLines)
                    {
                        answer.Add(line);
                    }

                    tail.Add(line);
                }))
                .WithStandardErrorPipe(PipeTarget.ToDelegate(tail.Add))
                .WithValidation(CommandResultValidation.None)
                .ExecuteAsync(forced.Token, asked.Token);
            return new CommandOutcome(result.ExitCode, answer, tail.ToString());
        }
        catch (OperationCanceledException) when (!cancellationToken.IsCancellationRequested)
        {
            throw new TimeoutException(
                $"not done within {limit.TotalMinutes:0} minutes and ended; the last lines were:{Environment.NewLine}{tail}");
        }
        catch (Exception exception) when (exception is System.ComponentModel.Win32Exception or CliWrapException)
        {
            throw new InvalidOperationException($"{program.TargetFilePath} cannot be started: {exception.Message}", exception);
        }
    }
}
