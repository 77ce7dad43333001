using System.Diagnostics;
using System.Globalization;
using System.Text;
using System.Text.Json.Nodes;
using UvlhubAspire.Checkout;

namespace UvlhubAspire.EndToEnd.Tests;

/// <summary>The AppHost as a process of its own, as <c>./run</c> starts it: whatever befalls it, the tests go on.</summary>
internal sealed class AppHostProcess : IAsyncDisposable
{
    private const string Ready = "uvlhub is ready at ";
    private static readonly TimeSpan s_endLimit = TimeSpan.FromSeconds(60);
    private readonly Process _process;
    private readonly StringBuilder _output = new();
    private readonly List<(string Text, TaskCompletionSource Printed)> _awaited = [];
    private bool _hasEnded;

    private AppHostProcess(Process process) => _process = process;

    public int Id => _process.Id;

    public bool IsRunning => !_hasEnded && !_process.HasExited;

    /// <summary>Everything that it printed until now.</summary>
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

    /// <summary>Starts it with the launch profile's environment.</summary>
    /// <param name="environment">Variables beside those of the profile.</param>
    /// <param name="settings">Settings, as on the command line.</param>
    public static AppHostProcess Start(IReadOnlyDictionary<string, string> environment, params IEnumerable<string> settings)
    {
        var start = new ProcessStartInfo(Path.Combine(AppContext.BaseDirectory, "AppHost"), settings)
        {
            RedirectStandardOutput = true,
            RedirectStandardError = true,
            WorkingDirectory = RepositoryFolder.AppHost,
        };
        var profile = JsonNode.Parse(
            File.ReadAllText(Path.Combine(RepositoryFolder.AppHost, "Properties", "launchSettings.json")))!["profiles"]!["Development"]!;
        start.Environment["ASPNETCORE_URLS"] = profile["applicationUrl"]!.GetValue<string>();
        foreach (var (key, value) in profile["environmentVariables"]!.AsObject())
        {
            start.Environment[key] = value!.GetValue<string>();
        }

        foreach (var (key, value) in environment)
        {
            start.Environment[key] = value;
        }

        var host = new AppHostProcess(new Process { StartInfo = start });
        host._process.OutputDataReceived += (_, line) => host.Add(line.Data);
        host._process.ErrorDataReceived += (_, line) => host.Add(line.Data);
        host._process.Start();
        host._process.BeginOutputReadLine();
        host._process.BeginErrorReadLine();
        return host;
    }

    /// <summary>Waits until the site can be used, and returns where.</summary>
    public async Task<Uri> ReadyAsync(CancellationToken cancellationToken)
    {
        await PrintedAsync(Ready, cancellationToken);
        return new Uri(Output.Split(Ready)[1].Split(' ')[0]);
    }

    /// <summary>Waits until it has printed a text, and returns at that moment: whoever trusts the text needs no pause.</summary>
    public async Task PrintedAsync(string text, CancellationToken cancellationToken)
    {
        var printed = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        lock (_output)
        {
            if (Output.Contains(text, StringComparison.Ordinal))
            {
                return;
            }

            _awaited.Add((text, printed));
        }

        // Its end comes after its last line.
        await WithinLimitAsync(
            async limited => await await Task.WhenAny(
                printed.Task, _process.WaitForExitAsync(limited)), $"say '{text}'", cancellationToken);
        if (!printed.Task.IsCompleted)
        {
            throw new InvalidOperationException($"The AppHost ended without saying '{text}':\n{Output}");
        }
    }

    /// <summary>Waits until it has ended by itself, and returns its exit code.</summary>
    public async Task<int> EndAsync(CancellationToken cancellationToken)
    {
        await WithinLimitAsync(_process.WaitForExitAsync, "end", cancellationToken);
        return _process.ExitCode;
    }

    /// <summary>SIGKILL, to it alone.</summary>
    public void Kill() => _process.Kill(entireProcessTree: false);

    /// <summary>The processes of its orchestrator, which outlive it to clear up.</summary>
    public IReadOnlyList<int> Orchestrator()
    {
        var processes = Directory.EnumerateDirectories("/proc").Select(Path.GetFileName).Where(name => int.TryParse(name, out _))
            .Select(name => int.Parse(name!, CultureInfo.InvariantCulture)).ToList();
        var parents = processes.ToLookup(Parent);
        List<int> found = [.. processes.Where(process => Read(process, "cmdline").Contains($"start-apiserver\0--monitor\0{_process.Id}\0", StringComparison.Ordinal))];
        for (var i = 0; i < found.Count; i++)
        {
            found.AddRange(parents[found[i]]);
        }

        return found;
    }

    /// <summary>Ends it as Ctrl+C does; the volume stays. One that does not end so is killed, and an error.</summary>
    public async ValueTask DisposeAsync()
    {
        try
        {
            if (IsRunning)
            {
                await InterruptAsync();
            }
        }
        finally
        {
            _hasEnded = true;
            _process.Dispose();
        }
    }

    private async Task InterruptAsync()
    {
        await Process.Start("kill", ["-INT", $"{_process.Id}"]).WaitForExitAsync();
        using var limit = new CancellationTokenSource(s_endLimit);
        try
        {
            await _process.WaitForExitAsync(limit.Token);
        }
        catch (OperationCanceledException)
        {
            Kill();
            throw new TimeoutException(
                $"Ctrl+C did not end the AppHost within {s_endLimit.TotalSeconds:0} s, so it was killed. It printed:\n{Output}");
        }
    }

    // The test's own limit would end the test without what the AppHost has said.
    private async Task WithinLimitAsync(Func<CancellationToken, Task> wait, string what, CancellationToken cancellationToken)
    {
        using var limit = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        if (TestClockAttribute.Remaining is { } left)
        {
            limit.CancelAfter(left > TimeSpan.Zero ? left : TimeSpan.Zero);
        }

        try
        {
            await wait(limit.Token);
        }
        catch (OperationCanceledException) when (!cancellationToken.IsCancellationRequested)
        {
            throw new TimeoutException($"The AppHost did not {what}. It printed:\n{Output}");
        }
    }

    private static int Parent(int process) =>
        Read(process, "stat").Split(')')[^1].Split(' ', StringSplitOptions.RemoveEmptyEntries) is [_, var parent, ..]
            ? int.Parse(parent, CultureInfo.InvariantCulture)
            : 0;

    private static string Read(int process, string file)
    {
        try
        {
            return File.ReadAllText($"/proc/{process}/{file}");
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException)
        {
            // It has ended, or is another user's.
            return "";
        }
    }

    private void Add(string? line)
    {
        lock (_output)
        {
            _output.AppendLine(line);
            foreach (var (_, printed) in _awaited.Where(awaited => line?.Contains(awaited.Text, StringComparison.Ordinal) == true))
            {
                printed.TrySetResult();
            }
        }
    }
}
