using CliWrap;
using CliWrap.Buffered;
using CliWrap.Exceptions;
using Microsoft.Extensions.Configuration;

namespace UvlhubAspire.Engine;

/// <summary>
/// The container engine's command line, for what Aspire's model has no word for: whether an image is there, building
/// one, labelling a volume. Arguments are a list, never a shell's line.
/// </summary>
/// <param name="executable"><c>docker</c> or <c>podman</c>.</param>
public sealed class ContainerEngine(string executable)
{
    /// <summary>The engine's executable, looked up in <c>PATH</c>.</summary>
    public string Executable { get; } = executable;

    /// <summary>The engine that Aspire itself uses: its setting <c>ASPIRE_CONTAINER_RUNTIME</c>. Default: <c>docker</c>.</summary>
    public static ContainerEngine FromConfiguration(IConfiguration configuration) =>
        new(configuration["ASPIRE_CONTAINER_RUNTIME"] ?? configuration["DOTNET_ASPIRE_CONTAINER_RUNTIME"] ?? "docker");

    /// <summary>Runs one command and collects what it prints.</summary>
    /// <param name="timeout">After this the command is ended and counts as failed.</param>
    /// <param name="cancellationToken">Ends the command.</param>
    /// <param name="arguments">The command's words.</param>
    /// <returns>Exit code and output; exit code -1 where the command could not run or ran out of time.</returns>
    public async Task<EngineResult> RunAsync(TimeSpan timeout, CancellationToken cancellationToken, params string[] arguments)
    {
        using var limit = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        limit.CancelAfter(timeout);
        try
        {
            var result = await Cli.Wrap(Executable)
                .WithArguments(arguments)
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

    /// <summary>Whether an image is present on this machine.</summary>
    public async Task<bool> HasImageAsync(string image, CancellationToken cancellationToken) =>
        (await RunAsync(TimeSpan.FromSeconds(20), cancellationToken, "image", "inspect", "--format", "{{.Id}}", image)).Succeeded;
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
