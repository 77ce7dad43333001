using System.Diagnostics;
using System.Text;
using UvlhubAspire.Checkout;

namespace UvlhubAspire.UvlhubRunner.Tests.Runs;

/// <summary>The runner as a process of its own, as the AppHost and a shell start it.</summary>
internal sealed class RunnerProcess : IDisposable
{
    private readonly Process _process;
    private readonly StringBuilder _output = new();
    private readonly StringBuilder _answer = new();

    private RunnerProcess(Process process) => _process = process;

    /// <summary>Everything that was printed until now.</summary>
    public string Output
    {
        get
        {
            lock (_output)
            {
                return _output.ToString();
            }
        }
    }

    public static RunnerProcess Start(IReadOnlyDictionary<string, string> environment, params IEnumerable<string> words)
    {
        var start = new ProcessStartInfo(RunnerExecutable.Command, [.. RunnerExecutable.Arguments, .. words])
        {
            RedirectStandardOutput = true,
            RedirectStandardError = true,
        };
        foreach (var (key, value) in environment)
        {
            start.Environment[key] = value;
        }

        var process = new Process { StartInfo = start, EnableRaisingEvents = true };
        var runner = new RunnerProcess(process);
        process.OutputDataReceived += (_, line) => runner.Add(line.Data, isAnswer: true);
        process.ErrorDataReceived += (_, line) => runner.Add(line.Data, isAnswer: false);
        process.Start();
        process.BeginOutputReadLine();
        process.BeginErrorReadLine();
        return runner;
    }

    /// <summary>Waits until it has ended.</summary>
    public async Task<RunResult> WaitAsync(CancellationToken cancellationToken)
    {
        await using var kill = cancellationToken.Register(Kill);
        await _process.WaitForExitAsync(CancellationToken.None);
        cancellationToken.ThrowIfCancellationRequested();
        lock (_output)
        {
            return new RunResult(_process.ExitCode, _output.ToString(), _answer.ToString());
        }
    }

    /// <summary>Waits until it has printed a text.</summary>
    public async Task WaitForAsync(string text, CancellationToken cancellationToken)
    {
        while (!Output.Contains(text, StringComparison.Ordinal))
        {
            if (_process.HasExited)
            {
                throw new InvalidOperationException($"The runner ended without saying '{text}':\n{Output}");
            }

            await Task.Delay(20, cancellationToken);
        }
    }

    /// <summary>SIGKILL, to it alone and to none of its children.</summary>
    public void Kill()
    {
        if (!_process.HasExited)
        {
            _process.Kill(entireProcessTree: false);
        }
    }

    /// <summary>SIGINT, as Ctrl+C sends it.</summary>
    public void Interrupt() => Process.Start("kill", ["-INT", $"{_process.Id}"]).WaitForExit();

    public void Dispose()
    {
        Kill();
        _process.Dispose();
    }

    private void Add(string? line, bool isAnswer)
    {
        if (line is null)
        {
            return;
        }

        lock (_output)
        {
            _output.AppendLine(line);
            if (isAnswer)
            {
                _answer.AppendLine(line);
            }
        }
    }
}

/// <summary>How a run of the runner ended.</summary>
/// <param name="ExitCode">Its exit code.</param>
/// <param name="Output">Everything that it printed.</param>
/// <param name="Answer">What it printed on standard output.</param>
internal sealed record RunResult(int ExitCode, string Output, string Answer);
