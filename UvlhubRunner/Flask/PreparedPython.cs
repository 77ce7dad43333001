using CliWrap;

namespace UvlhubAspire.Runner.Flask;

/// <summary>
/// A Python in the toolbox that has imported what the checkout's commands have in common, and forks itself for each of them:
/// the start-up folder's uvlhub_commands.py. Where there is none, as in an image of the checkout's own making, or it cannot be
/// forked, a command runs by itself.
/// </summary>
internal sealed class PreparedPython : IDisposable
{
    private const string Ready = "ready";

    private static readonly IReadOnlyList<string> s_module = ["python", "-m", "uvlhub_commands"];

    private readonly CancellationTokenSource _end = new();
    private readonly TaskCompletionSource<bool> _isReady = new(TaskCreationOptions.RunContinuationsAsynchronously);

    private PreparedPython()
    {
    }

    /// <summary>Begins to prepare one.</summary>
    /// <param name="leash">Makes the command that ends with the runner.</param>
    public static PreparedPython Start(Func<IReadOnlyList<string>, Command> leash)
    {
        var python = new PreparedPython();
        _ = python.RunAsync(leash([.. s_module, "--prepare"]));
        return python;
    }

    /// <summary>The words by which a command runs, as soon as that is known.</summary>
    public async Task<IReadOnlyList<string>> WordsAsync(IReadOnlyList<string> command, CancellationToken cancellationToken) =>
        await _isReady.Task.WaitAsync(cancellationToken) ? [.. s_module, .. command] : command;

    public void Dispose()
    {
        _end.Cancel();
        _end.Dispose();
    }

    private async Task RunAsync(Command command)
    {
        try
        {
            await command
                .WithStandardOutputPipe(PipeTarget.ToDelegate(line => _isReady.TrySetResult(line == Ready)))
                .ExecuteAsync(_end.Token);
        }
        catch (Exception exception) when (exception is OperationCanceledException or System.ComponentModel.Win32Exception)
        {
            // The command itself will say what is wrong.
        }
        finally
        {
            _isReady.TrySetResult(false);
        }
    }
}
