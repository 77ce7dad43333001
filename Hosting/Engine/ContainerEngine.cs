using System.Text.Json;
using CliWrap;
using CliWrap.Buffered;
using CliWrap.Exceptions;
using Microsoft.Extensions.Configuration;

namespace UvlhubAspire.Engine;

/// <summary>
/// The container engine's command line, for what Aspire's model has no word for: whether an image is there, building
/// one, labelling a volume. Arguments are a list, never a shell's line.
/// </summary>
public sealed class ContainerEngine
{
    private static readonly TimeSpan s_inspection = TimeSpan.FromSeconds(20);

    private readonly Lazy<string> _executable;
    private readonly ImagePresence _images;

    // As Aspire's ContainerRuntimeResolver does: Docker, unless Podman alone is there, or runs where Docker does not.
    // Programs are started only where both are installed.
    private static readonly Lazy<string> s_detected = new(() =>
        IsInstalled("podman") && (!IsInstalled("docker") || (!Runs("docker") && Runs("podman"))) ? "podman" : "docker");

    /// <summary>An engine that is found when it is needed.</summary>
    /// <param name="executable"><c>docker</c> or <c>podman</c>.</param>
    public ContainerEngine(Lazy<string> executable)
    {
        _executable = executable;
        _images = new ImagePresence(images => RunAsync(
            s_inspection, CancellationToken.None, ["image", "inspect", "--format", "{{.Id}}", .. images]));
    }

    /// <summary>An engine that is named.</summary>
    /// <param name="executable"><c>docker</c> or <c>podman</c>.</param>
    public ContainerEngine(string executable)
        : this(new Lazy<string>(executable))
    {
    }

    /// <summary>The engine's executable, looked up in <c>PATH</c>.</summary>
    public string Executable => _executable.Value;

    /// <summary>The engine that Aspire itself uses: its setting <c>ASPIRE_CONTAINER_RUNTIME</c>, else what is installed and runs.</summary>
    public static ContainerEngine FromConfiguration(IConfiguration configuration)
    {
        string[] settings = ["DcpPublisher:ContainerRuntime", "ASPIRE_CONTAINER_RUNTIME", "DOTNET_ASPIRE_CONTAINER_RUNTIME"];
        var named = settings.Select(setting => configuration[setting]).FirstOrDefault(value => !string.IsNullOrEmpty(value));
        return named is null ? new(s_detected) : new(named);
    }

    /// <summary>Runs one command and collects what it prints.</summary>
    /// <param name="timeout">After this the command is ended and counts as failed.</param>
    /// <param name="cancellationToken">Ends the command.</param>
    /// <param name="arguments">The command's words.</param>
    /// <returns>Exit code and output; exit code -1 where the command could not run or ran out of time.</returns>
    public Task<EngineResult> RunAsync(TimeSpan timeout, CancellationToken cancellationToken, params string[] arguments) =>
        RunAsync(timeout, new Dictionary<string, string>(), cancellationToken, arguments);

    /// <summary>Runs one command, with variables that its words name without their values, and collects what it prints.</summary>
    /// <param name="timeout">After this the command is ended and counts as failed.</param>
    /// <param name="variables">The variables; nobody reads their values in the list of processes.</param>
    /// <param name="cancellationToken">Ends the command.</param>
    /// <param name="arguments">The command's words.</param>
    /// <returns>Exit code and output; exit code -1 where the command could not run or ran out of time.</returns>
    public async Task<EngineResult> RunAsync(
        TimeSpan timeout, IReadOnlyDictionary<string, string> variables, CancellationToken cancellationToken, params string[] arguments)
    {
        using var limit = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        limit.CancelAfter(timeout);
        try
        {
            var result = await Cli.Wrap(Executable)
                .WithArguments(arguments)
                .WithEnvironmentVariables(variables.ToDictionary(variable => variable.Key, variable => (string?)variable.Value))
                .WithValidation(CommandResultValidation.None)
                .ExecuteBufferedAsync(limit.Token);
            return new EngineResult(result.ExitCode, result.StandardOutput.Trim(), result.StandardError.Trim());
        }
        catch (OperationCanceledException) when (!cancellationToken.IsCancellationRequested)
        {
            return new EngineResult(-1, "", $"no answer within {timeout.TotalSeconds:0} s");
        }
        catch (System.ComponentModel.Win32Exception)
        {
            return new EngineResult(-1, "", $"there is no program '{Executable}' that could be run; is it installed, and in PATH?");
        }
        catch (CliWrapException exception)
        {
            return new EngineResult(-1, "", exception.Message);
        }
    }

    /// <summary>Whether an image is present on this machine, or was a few seconds ago.</summary>
    public Task<bool> HasImageAsync(string image, CancellationToken cancellationToken) =>
        _images.IsPresentAsync(image).WaitAsync(cancellationToken);

    /// <summary>Looks at a container, an image, a network or a volume.</summary>
    /// <param name="kind">Which of these, in the engine's word.</param>
    /// <param name="name">Its name or id.</param>
    /// <param name="cancellationToken">Ends the question.</param>
    /// <returns>What is there, else <see langword="null"/> and why: there is no such thing, or the engine does not answer.</returns>
    public async Task<(EngineObject? Found, string Error)> InspectAsync(string kind, string name, CancellationToken cancellationToken)
    {
        var inspected = await RunAsync(s_inspection, cancellationToken, kind, "inspect", name);
        return inspected.Succeeded
            ? (JsonSerializer.Deserialize(inspected.Output, EngineJson.Default.EngineObjectArray)![0], "")
            : (null, inspected.Error);
    }

    private static bool IsInstalled(string program) => Environment.GetEnvironmentVariable("PATH")?.Split(Path.PathSeparator)
        .Any(folder => File.Exists(Path.Combine(folder, OperatingSystem.IsWindows() ? $"{program}.exe" : program))) == true;

    private static bool Runs(string program) => new ContainerEngine(program)
        .RunAsync(TimeSpan.FromSeconds(10), CancellationToken.None, "container", "ls", "-n", "1").GetAwaiter().GetResult().Succeeded;
}

/// <summary>How a command of the engine ended.</summary>
/// <param name="ExitCode">Its exit code; -1 if it could not run.</param>
/// <param name="Output">Standard output.</param>
/// <param name="Error">Standard error.</param>
public sealed record EngineResult(int ExitCode, string Output, string Error)
{
    /// <summary>Whether the exit code was 0.</summary>
    public bool Succeeded => ExitCode == 0;
}
