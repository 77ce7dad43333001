using System.Collections.Concurrent;
using System.Diagnostics;
using System.Text.RegularExpressions;
using CliWrap;
using Microsoft.Extensions.Logging;

namespace UvlhubAspire.Hosting.Containers;

/// <summary>
/// Builds images with the engine's own builder. Not Aspire's <c>WithDockerfile</c>, because that builds at every start
/// and shows no reason when it fails (https://github.com/microsoft/aspire/issues/5158); this builds what has changed,
/// once for all resources that share an image, and ends with the builder's last lines.
/// </summary>
/// <param name="engine">The container engine.</param>
/// <param name="loggers">For the console, where someone without the dashboard sees how far a long build is.</param>
/// <param name="proxies">The proxies that builds use. Default: those of this process.</param>
/// <param name="pip">Where builds have pip look for packages. Default: where this process's user does.</param>
public sealed partial class ImageBuilder(
    ContainerEngine engine, ILoggerFactory loggers, ProxySettings? proxies = null, PipSettings? pip = null)
{
    private readonly ProxySettings _proxies = proxies ?? ProxySettings.Current;
    private readonly PipSettings _pip = pip ?? PipSettings.Current;
    private readonly ILogger _console = loggers.CreateLogger("UvlhubAspire.Images");
    private const string Builder = "BUILDX_BUILDER";
    private const string InputsLabel = "uvlhub-aspire.inputs";

    // The end of the output, in which a failed step's own words are: a compiler's, too.
    private const int KeptLines = 2000;
    private static readonly TimeSpan s_limit = TimeSpan.FromMinutes(30);
    private readonly ConcurrentDictionary<string, long> _begun = new(StringComparer.Ordinal);
    private readonly ConcurrentDictionary<string, (long At, string Why)> _failed = new(StringComparer.Ordinal);

    // A network that opens encrypted connections has its own certificate authority, which the machine trusts and a
    // bare Debian does not. As a secret it is there during the build alone; a stand-in that downloads over TLS takes it.
    private static readonly string s_certificates = Environment.GetEnvironmentVariable("SSL_CERT_FILE")
        ?? "/etc/ssl/certs/ca-certificates.crt";

    private static readonly string s_locks = UserFolder.Of("images");

    private readonly ConcurrentDictionary<string, SemaphoreSlim> _gates = new(StringComparer.Ordinal);

    /// <summary>Builds the image unless it is there.</summary>
    /// <param name="recipe">What to build.</param>
    /// <param name="logger">Shows the builder's output: the log of the resource that waits for the image.</param>
    /// <param name="cancellationToken">Ends the build.</param>
    /// <param name="effort">How much is done even if the image is there. Default: nothing.</param>
    /// <exception cref="ImageException">The build failed; the message has the place, the last lines and what to do.</exception>
    public async Task EnsureAsync(
        ImageRecipe recipe, ILogger logger, CancellationToken cancellationToken, BuildEffort effort = BuildEffort.IfMissing)
    {
        if (effort is BuildEffort.IfMissing && await IsHereAsync(recipe, cancellationToken))
        {
            return;
        }

        var asked = Stopwatch.GetTimestamp();
        using (await EnterAsync(recipe.Image, recipe.IsContentTagged, cancellationToken))
        {
            // Whoever came in the meantime has built what is asked for here.
            if (_begun.TryGetValue(recipe.Image, out var begun) && begun >= asked)
            {
                return;
            }

            begun = Stopwatch.GetTimestamp();
            if (effort is BuildEffort.IfMissing && await IsHereAsync(recipe, cancellationToken))
            {
                return;
            }

            // It has failed while this one waited for it, and would fail again.
            if (_failed.TryGetValue(recipe.Image, out var failed) && failed.At >= asked)
            {
                throw new ImageException(failed.Why);
            }

            try
            {
                if (recipe.NeedsDebianBase)
                {
                    using (await EnterAsync(DebianBase.Image, isForAll: true, cancellationToken))
                    {
                        await DebianBase.EnsureAsync(engine, logger, _console, cancellationToken);
                    }
                }

                foreach (var replaced in recipe.ReplacedBases.Values)
                {
                    await EnsureAsync(replaced, logger, cancellationToken);
                }

                if (recipe.Base is { } parent)
                {
                    // A stand-in's is everybody's, and no checkout's rebuild makes it anew.
                    await EnsureAsync(parent, logger, cancellationToken, parent.NeedsDebianBase ? BuildEffort.IfMissing : effort);
                }

                var prepared = recipe.Prepare is { } prepare ? await prepare(recipe, logger, cancellationToken) : recipe;
                await BuildAsync(prepared, logger, effort, cancellationToken);
            }
            catch (ImageException exception)
            {
                _failed[recipe.Image] = (Stopwatch.GetTimestamp(), exception.Message);
                throw;
            }

            _begun[recipe.Image] = begun;
        }
    }

    /// <summary>Whether the image is on this machine and nothing has changed that it is built from.</summary>
    /// <param name="recipe">The image.</param>
    /// <param name="cancellationToken">Ends the question.</param>
    public async Task<bool> IsHereAsync(ImageRecipe recipe, CancellationToken cancellationToken) =>
        recipe.Inputs is { } inputs
            ? (await engine.InspectAsync("image", recipe.Image, cancellationToken)).Found?.Label(InputsLabel) == inputs()
            : recipe.IsContentTagged && await engine.HasImageAsync(recipe.Image, cancellationToken);

    // As the Dockerfile says; where that fails, as somebody who knows what it runs says.
    private async Task BuildAsync(ImageRecipe recipe, ILogger logger, BuildEffort effort, CancellationToken cancellationToken)
    {
        while (await TryAsync(recipe, logger, effort, cancellationToken) is { } failure)
        {
            if (recipe.Advisor is not { } advisor || await advisor.RemedyAsync(recipe, failure, cancellationToken) is not { } remedy)
            {
                throw ImageException.NotBuilt(recipe.Image, failure.Describe(
                    recipe.Advisor is { } known ? await known.ExplainAsync(failure, cancellationToken) : []));
            }

            ImageLog.OtherWay(logger, recipe.Source, failure.Output[^1]);
            ImageLog.OtherWay(_console, recipe.Source, failure.Output[^1]);
            recipe = remedy;
            try
            {
                await Task.WhenAll(recipe.ReplacedBases.Values.Select(replaced => EnsureAsync(replaced, logger, cancellationToken)));
            }
            catch (ImageException exception)
            {
                throw ImageException.NotBuilt(recipe.Image, failure.Describe(
                    [.. await advisor.ExplainAsync(failure, cancellationToken), exception.Message]));
            }
        }

        ImageLog.Built(logger, recipe.Image);
        ImageLog.Built(_console, recipe.Image);
    }

    private async Task<BuildFailure?> TryAsync(ImageRecipe recipe, ILogger logger, BuildEffort effort, CancellationToken cancellationToken)
    {
        ImageLog.Building(logger, recipe.Image);
        ImageLog.Building(_console, recipe.Image);
        if (recipe.Note is { } note)
        {
            ImageLog.BuildOutput(logger, note);
            ImageLog.BuildOutput(_console, note);
        }

        var tail = new OutputTail(line =>
        {
            ImageLog.BuildOutput(logger, line);
            if (StepHeader().IsMatch(line))
            {
                ImageLog.BuildOutput(_console, line);
            }
        }, KeptLines);
        using var limit = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        limit.CancelAfter(s_limit);
        int exitCode;
        var builder = await BuilderAsync(cancellationToken);
        // A stand-in installs Debian's packages alone.
        using var dockerfile = recipe.NeedsDebianBase || _pip.File.Length == 0
            ? null
            : await MountedDockerfile.WriteAsync(recipe.Dockerfile, cancellationToken);
        try
        {
            var result = await Cli.Wrap(engine.Executable)
                .WithArguments(
                [
                    "build", "--tag", recipe.Image, "--file", dockerfile?.Path ?? recipe.Dockerfile,
                    .. effort is BuildEffort.FromScratch ? ["--no-cache"] : Array.Empty<string>(),
                    .. recipe.Target is null ? Array.Empty<string>() : ["--target", recipe.Target],
                    .. recipe.Arguments.Keys.Union(_proxies.ForBuilds.Keys).SelectMany(name => new[] { "--build-arg", name }),
                    .. recipe.Inputs is { } inputs ? ["--label", $"{InputsLabel}={inputs()}"] : Array.Empty<string>(),
                    .. recipe.ReplacedBases.SelectMany(
                        replaced => new[] { "--build-context", $"{replaced.Key}=docker-image://{replaced.Value.Image}" }),
                    .. recipe.Contexts.SelectMany(context => new[] { "--build-context", $"{context.Key}={context.Value}" }),
                    .. recipe.NeedsDebianBase && File.Exists(s_certificates)
                        ? ["--secret", $"id=ca-certificates,src={s_certificates}"]
                        : Array.Empty<string>(),
                    .. dockerfile is null ? Array.Empty<string>() : ["--secret", $"id={PipSettings.Secret},env={PipSettings.Secret}"],
                    recipe.Context,
                ])
                .WithEnvironmentVariables(environment =>
                {
                    environment.Set("DOCKER_BUILDKIT", "1").Set("BUILDKIT_PROGRESS", "plain").Set(PipSettings.Secret, _pip.File)
                        .Set(Builder, builder);
                    foreach (var (name, value) in _proxies.ForBuilds.Concat(recipe.Arguments))
                    {
                        environment.Set(name, value);
                    }
                })
                .WithStandardOutputPipe(PipeTarget.ToDelegate(tail.Add))
                .WithStandardErrorPipe(PipeTarget.ToDelegate(tail.Add))
                .WithValidation(CommandResultValidation.None)
                .ExecuteAsync(limit.Token);
            exitCode = result.ExitCode;
        }
        catch (OperationCanceledException) when (!cancellationToken.IsCancellationRequested)
        {
            throw ImageException.NotBuilt(
                recipe.Image,
                $"not done within {s_limit.TotalMinutes:0} minutes; the last lines were:{Environment.NewLine}"
                + string.Join(Environment.NewLine, tail.Lines.TakeLast(15)));
        }

        return exitCode == 0 ? null : BuildFailure.Read(recipe.Dockerfile, tail.Lines);
    }

    // The engine's own, which is called as its context is: another one that somebody has made the default does not see the engine's
    // images, nor does the engine see what that builds. Podman has no such choice.
    private async Task<string?> BuilderAsync(CancellationToken cancellationToken) =>
        Environment.GetEnvironmentVariable(Builder) is { Length: > 0 } chosen ? chosen
            : await engine.RunAsync(TimeSpan.FromSeconds(20), cancellationToken, "context", "show") is { Succeeded: true } context
                ? context.Output
                : null;

    // What is the same for all checkouts is built once for all AppHosts that start at the same time.
    private async Task<Gate> EnterAsync(string image, bool isForAll, CancellationToken cancellationToken)
    {
        var semaphore = _gates.GetOrAdd(image, _ => new SemaphoreSlim(1));
        await semaphore.WaitAsync(cancellationToken);
        try
        {
            return new Gate(
                semaphore,
                isForAll
                    ? await FileLock.EnterAsync(
                        Path.Combine(s_locks, $"{image.Replace('/', '-').Replace(':', '-')}.lock"), cancellationToken)
                    : null);
        }
        catch
        {
            semaphore.Release();
            throw;
        }
    }

    // BuildKit's plain output: '#7 [2/4] RUN apt-get …' starts a step, '#7 12.3 …' is what the step prints.
    [GeneratedRegex(@"^#\d+ \[\s*\d+/\d+\]")]
    private static partial Regex StepHeader();

    // Beside it lies what the builder would find beside the other one. Its lines have the same numbers.
    private sealed class MountedDockerfile : IDisposable
    {
        private readonly DirectoryInfo _folder = Directory.CreateTempSubdirectory("uvlhub-aspire-build-");

        private MountedDockerfile(string original) => Path = System.IO.Path.Combine(_folder.FullName, System.IO.Path.GetFileName(original));

        public string Path { get; }

        public static async Task<MountedDockerfile> WriteAsync(string original, CancellationToken cancellationToken)
        {
            var mounted = new MountedDockerfile(original);
            var text = await File.ReadAllTextAsync(original, cancellationToken);
            await File.WriteAllTextAsync(mounted.Path, PipSettings.Mounted(text), cancellationToken);
            if (File.Exists($"{original}.dockerignore"))
            {
                File.Copy($"{original}.dockerignore", $"{mounted.Path}.dockerignore");
            }

            return mounted;
        }

        public void Dispose() => _folder.Delete(recursive: true);
    }

    private readonly struct Gate(SemaphoreSlim semaphore, IDisposable? file) : IDisposable
    {
        public void Dispose()
        {
            file?.Dispose();
            semaphore.Release();
        }
    }
}

/// <summary>How much of an image is built.</summary>
public enum BuildEffort
{
    /// <summary>Nothing, if an image of this name says all about its content and is there.</summary>
    IfMissing,

    /// <summary>The steps whose inputs have changed.</summary>
    WhatChanged,

    /// <summary>Every step, also to get newer packages.</summary>
    FromScratch,
}
