using System.Diagnostics;
using System.Globalization;
using CliWrap;
using CliWrap.Exceptions;
using UvlhubAspire.Runner.Resilience;

namespace UvlhubAspire.Runner.Flask;

/// <summary>
/// The container in which the checkout's own tools run, or this machine, where the runner itself is in that container. A
/// command lives exactly as long as the runner: it is tied to the runner's end of a pipe, so that not even a killed runner
/// leaves a schema change running behind its back.
/// </summary>
internal sealed partial class Toolbox(RunnerSettings settings, TimeProvider time, ILogger<Toolbox> logger) : IDisposable
{
    // Marks what a runner started inside the container.
    private const string RunMarker = "UVLHUB_RUNNER_PROCESS";

    private static readonly TimeSpan s_engineLimit = TimeSpan.FromSeconds(30);

    private readonly Lock _preparing = new();
    private PreparedPython? _python;

    /// <summary>Waits until the container runs.</summary>
    /// <exception cref="MigrationFailedException">There is no such container, or it does not run in time; the message says
    /// what to do.</exception>
    public async Task WaitAsync(CancellationToken cancellationToken)
    {
        if (settings.ToolboxContainer is null)
        {
            return;
        }

        using var activity = Telemetry.Step("wait for the toolbox");
        var started = time.GetTimestamp();
        var delay = TimeSpan.FromMilliseconds(200);
        while (true)
        {
            var (container, error) = await settings.Engine.InspectAsync("container", settings.ToolboxContainer, cancellationToken);
            if (container?.State?.Status == "running")
            {
                return;
            }

            var found = container is null ? error : $"is {container.State?.Status}";
            if (error.Contains("No such container", StringComparison.OrdinalIgnoreCase) && settings.IsShell)
            {
                throw new MigrationFailedException(
                    ExitCode.Unreachable,
                    $"There is no container {settings.ToolboxContainer}, in which flask and rosemary run: uvlhub is not up."
                    + $"{Environment.NewLine}Start it with './run' (it migrates by itself), or name the container that you use: "
                    + "Uvlhub:Containers:Toolbox, Uvlhub:Instance.");
            }

            if (time.GetElapsedTime(started) > settings.Options.Migrator.ToolboxTimeout)
            {
                throw new MigrationFailedException(
                    ExitCode.Unreachable,
                    $"The container {settings.ToolboxContainer}, in which flask runs, did not start within "
                    + $"{settings.Options.Migrator.ToolboxTimeout.TotalSeconds:0} s: {found}."
                    + $"{Environment.NewLine}See why: '{settings.Engine.Executable} logs {settings.ToolboxContainer}', and 'rosemary' in "
                    + "the dashboard.");
            }

            await Task.Delay(delay, time, cancellationToken);
            delay = TimeSpan.FromMilliseconds(Math.Min(delay.TotalMilliseconds * 1.5, 1000));
        }
    }

    /// <summary>Has what several commands have in common loaded once for all of them; the container has to run.</summary>
    public void Prepare()
    {
        lock (_preparing)
        {
            _python ??= PreparedPython.Start(words => Leashed(words, Marked()));
        }
    }

    public void Dispose() => _python?.Dispose();

    /// <summary>Runs a command; its output goes to the log line by line.</summary>
    /// <param name="environment">Variables beside those of the container.</param>
    /// <param name="answer">Takes the lines of standard output, which then do not go to the log, of a command that changes nothing.</param>
    /// <param name="shownAs">The command for people. Default: its words.</param>
    /// <exception cref="FlaskException">It failed, or took too long; the message is the cause.</exception>
    public async Task<FlaskOutput> RunAsync(
        IReadOnlyList<string> command, CancellationToken cancellationToken, IReadOnlyDictionary<string, string>? environment = null,
        Action<string>? answer = null, string? shownAs = null)
    {
        shownAs ??= string.Join(' ', command);
        using var activity = Telemetry.Step(shownAs);
        var output = new FlaskOutput(line => LogOutput(command[0], line));
        var started = time.GetTimestamp();
        LogRunning(shownAs);

        // A question is asked without the lock and changes nothing: it is nobody's leftover, and ends nobody's.
        var isChange = answer is null;
        var variables = isChange ? Marked() : [];
        foreach (var (name, value) in environment ?? new Dictionary<string, string>())
        {
            variables[name] = value;
        }

        if (activity is { IdFormat: ActivityIdFormat.W3C, Id: { } trace })
        {
            // What the command does appears under this step: the start-up folder's uvlhub_telemetry.py.
            variables["TRACEPARENT"] = trace;
        }

        using var limit = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        limit.CancelAfter(settings.Options.Migrator.FlaskTimeout);
        int exitCode;
        try
        {
            var words = isChange && _python is not null ? await _python.WordsAsync(command, limit.Token) : command;
            var result = await Leashed(words, variables)
                .WithStandardOutputPipe(PipeTarget.ToDelegate(answer ?? output.Add))
                .WithStandardErrorPipe(PipeTarget.ToDelegate(output.Add))
                .ExecuteAsync(limit.Token);
            exitCode = result.ExitCode;
        }
        catch (OperationCanceledException)
        {
            if (isChange)
            {
                await EndLeftoversAsync(CancellationToken.None);
            }

            cancellationToken.ThrowIfCancellationRequested();
            activity?.SetStatus(ActivityStatusCode.Error, "timeout");
            throw new FlaskException(
                $"'{shownAs}' did not end within {settings.Options.Migrator.FlaskTimeout.TotalMinutes:0.#} minutes "
                + $"(Uvlhub:Migrator:FlaskTimeout) and was stopped; the last thing it said: {output.LastLine}",
                isTransient: false,
                output.Revision);
        }
        catch (Exception exception) when (exception is System.ComponentModel.Win32Exception or CliWrapException)
        {
            throw new FlaskException(
                $"{(settings.ToolboxContainer is null ? "sh" : settings.Engine.Executable)} cannot be started: {exception.Message}",
                isTransient: false);
        }

        if (exitCode != 0)
        {
            activity?.SetStatus(ActivityStatusCode.Error, output.Cause);
            throw new FlaskException(
                exitCode == 127 ? $"the image has no command '{command[0]}' ({output.Cause})"
                    : output.MissingVariable is { } missing
                    ? $"{output.Cause}: the checkout's settings have no {missing.Name}, which {missing.Place} reads. Put {missing.Name}=… "
                        + $"into {settings.Checkout.EnvironmentFile.Path}"
                    : output.Cause,
                TransientCause.InFlaskOutput(output.Text)
                    || (exitCode is 1 or 125 or 126 && TransientCause.InEngineOutput(output.Text)),
                output.Revision);
        }

        LogDone(shownAs, time.GetElapsedTime(started).TotalSeconds);
        return output;
    }

    /// <summary>Ends what an earlier or a cancelled run left in the container, and waits until it is gone.</summary>
    public async Task EndLeftoversAsync(CancellationToken cancellationToken)
    {
        string[] script =
        [
            """
            found() { grep -sl "$1=" /proc/[0-9]*/environ | cut -d/ -f3; }
            pids=$(found "$1"); [ -n "$pids" ] || { echo 0; exit 0; }
            kill -KILL $pids 2>/dev/null
            echo "$pids" | wc -l
            for _ in 1 2 3 4 5 6 7 8 9 10; do [ -n "$(found "$1")" ] || exit 0; sleep 0.2; done
            exit 1
            """,
            "sh",
            RunMarker,
        ];
        var ended = settings.ToolboxContainer is { } container
            ? await settings.Engine.RunAsync(s_engineLimit, cancellationToken, ["exec", container, "sh", "-c", .. script])
            : await new ContainerEngine("sh").RunAsync(s_engineLimit, cancellationToken, ["-c", .. script]);
        if (int.TryParse(ended.Output.Split('\n')[0], out var count) && count > 0)
        {
            LogLeftovers(count, settings.ToolboxContainer ?? "this container");
        }
    }

    private Command Leashed(IReadOnlyList<string> words, Dictionary<string, string> variables) =>
        settings.ToolboxContainer is { } container
            ? LeashedCommand.Create(settings.Engine, container, words, variables)
            : LeashedCommand.CreateHere(settings.Checkout.Path, words, variables);

    private static Dictionary<string, string> Marked() =>
        new() { [RunMarker] = Environment.ProcessId.ToString(CultureInfo.InvariantCulture) };

    [LoggerMessage(EventId = 300, Level = LogLevel.Information, Message = "Running '{Command}'")]
    private partial void LogRunning(string command);

    [LoggerMessage(EventId = 301, Level = LogLevel.Information, Message = "  {Program} | {Line}")]
    private partial void LogOutput(string program, string line);

    [LoggerMessage(EventId = 302, Level = LogLevel.Information, Message = "'{Command}' done in {Seconds:0.0} s")]
    private partial void LogDone(string command, double seconds);

    [LoggerMessage(EventId = 303, Level = LogLevel.Warning, Message = "Ended {Count} processes that an earlier run had left in "
        + "{Container}")]
    private partial void LogLeftovers(int count, string container);
}
