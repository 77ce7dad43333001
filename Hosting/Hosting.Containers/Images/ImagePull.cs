using System.Collections.Concurrent;
using System.Diagnostics;
using System.Globalization;
using System.Text.RegularExpressions;
using CliWrap;
using Microsoft.Extensions.Logging;

namespace UvlhubAspire.Hosting.Containers;

/// <summary>
/// One image on its way to this machine. A pull is also the only question that goes every way that a pull goes: through the mirror and
/// the proxy that only the engine knows.
/// </summary>
public sealed partial class ImagePull
{
    // Of util-linux; busybox's, a link, does not hand on the exit code.
    private const string Terminal = "/usr/bin/script";
    private static readonly TimeSpan s_between = TimeSpan.FromSeconds(2);

    // The engine says a word when a layer begins and when it is there: one of a gigabyte takes its time on a slow line.
    private static readonly TimeSpan s_stalled = TimeSpan.FromHours(1);
    private readonly string _image;
    private readonly ConcurrentBag<ILogger> _followers;
    private readonly TaskCompletionSource<PullAnswer> _answer = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly Dictionary<string, double> _bytes = new(StringComparer.Ordinal);
    private int _layers;
    private int _done;
    private long _said;

    /// <summary>Begins.</summary>
    /// <param name="engine">The container engine.</param>
    /// <param name="image">The image.</param>
    /// <param name="console">Is told how far it is.</param>
    /// <param name="cancellationToken">Ends it.</param>
    public ImagePull(ContainerEngine engine, string image, ILogger console, CancellationToken cancellationToken)
    {
        (_image, _followers) = (image, [console]);
        Ended = RunAsync(engine, cancellationToken);
    }

    /// <summary>Tells one more how far it is.</summary>
    public void Follow(ILogger log) => _followers.Add(log);

    /// <summary>What the registry says; it is known long before the image is here.</summary>
    public Task<PullAnswer> Answer => _answer.Task;

    /// <summary>The end: whether the image is here.</summary>
    public Task<PullAnswer> Ended { get; }

    private async Task<PullAnswer> RunAsync(ContainerEngine engine, CancellationToken cancellationToken)
    {
        using var limit = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        var output = new OutputTail(line => Read(line, limit));
        var answer = PullAnswer.Delivers;
        try
        {
            limit.CancelAfter(s_stalled);
            var ended = await Pull(engine.Executable, _image)
                .WithStandardOutputPipe(PipeTarget.ToDelegate(line => output.Add(Control().Replace(line, "").TrimEnd())))
                .WithStandardErrorPipe(PipeTarget.ToDelegate(output.Add))
                .WithValidation(CommandResultValidation.None)
                .ExecuteAsync(limit.Token);
            if (ended.ExitCode != 0)
            {
                answer = PullAnswer.Of(output.Lines.Count > 0 ? output.Lines[^1] : $"'pull' ended with exit code {ended.ExitCode}");
            }
        }
        catch (OperationCanceledException)
        {
            answer = PullAnswer.Of(cancellationToken.IsCancellationRequested
                ? "the pull was ended"
                : $"nothing came for {s_stalled.TotalMinutes:0} minutes (timed out)");
        }
        catch (Exception exception) when (exception is System.ComponentModel.Win32Exception or CliWrap.Exceptions.CliWrapException)
        {
            answer = PullAnswer.Of(exception.Message);
        }

        _answer.TrySetResult(answer);
        return answer;
    }

    // How many bytes have come is told to a terminal alone.
    private static Command Pull(string engine, string image) =>
        OperatingSystem.IsLinux() && new FileInfo(Terminal) is { Exists: true, LinkTarget: null }
            ? Cli.Wrap(Terminal).WithArguments(["--quiet", "--return", "--command", ShellWords.Join([engine, "pull", image]), "/dev/null"])
            : Cli.Wrap(engine).WithArguments(["pull", image]);

    // 'ID: Pulling fs layer', 'ID: Pull complete'; the first line of all comes when the manifest has. Podman says 'Getting image source
    // signatures' and 'Copying blob ID'.
    private void Read(string line, CancellationTokenSource limit)
    {
        limit.CancelAfter(s_stalled);
        if (line.Contains(": Pulling from ", StringComparison.Ordinal) || line.StartsWith("Getting image source", StringComparison.Ordinal))
        {
            _answer.TrySetResult(PullAnswer.Delivers);
            Say("");
        }
        else if (line.EndsWith(": Pulling fs layer", StringComparison.Ordinal))
        {
            _layers++;
        }
        else if (line.EndsWith(": Already exists", StringComparison.Ordinal))
        {
            (_layers, _done) = (_layers + 1, _done + 1);
        }
        else if (line.EndsWith(": Pull complete", StringComparison.Ordinal))
        {
            _done++;
            Say(Progress);
        }
        else if (Downloading().Match(line) is { Success: true } match)
        {
            // '12.3MB/45.6MB'; of what is being taken apart there is the same, and it has come already.
            var unit = match.Groups["unit"].Value switch { "GB" => 1000, "MB" => 1, "kB" => 0.001, _ => 0.000001 };
            _bytes[match.Groups["layer"].Value] = unit * double.Parse(match.Groups["number"].Value, CultureInfo.InvariantCulture);
            if (Stopwatch.GetElapsedTime(_said) > s_between)
            {
                Say(Progress);
            }
        }
    }

    private string Progress => string.Create(
        CultureInfo.InvariantCulture, $": {_done} of {_layers} layers{(_bytes.Count == 0 ? "" : $", {_bytes.Values.Sum():0.#} MB")}");

    private void Say(string progress)
    {
        _said = Stopwatch.GetTimestamp();
        foreach (var follower in _followers)
        {
            ImageLog.Pulling(follower, _image, progress);
        }
    }

    [GeneratedRegex(@"\e\[\d*[A-Za-z]")]
    private static partial Regex Control();

    [GeneratedRegex(@"^(?<layer>\w+): Downloading\b.*?(?<number>[\d.]+)(?<unit>[kMG]?B)/")]
    private static partial Regex Downloading();
}

/// <summary>What becomes of a pull.</summary>
/// <param name="Problem">Why the image does not come, in the engine's words; <see langword="null"/> if it comes.</param>
/// <param name="IsNoAnswer">Whether no registry answered; any other problem is one's answer.</param>
public sealed record PullAnswer(string? Problem, bool IsNoAnswer)
{
    /// <summary>The image comes.</summary>
    public static PullAnswer Delivers { get; } = new(null, false);

    /// <summary>The answer of an engine that could not pull.</summary>
    public static PullAnswer Of(string problem) => new(problem.Trim(), KnownCause.Find(problem) is { IsNoAnswer: true });
}
