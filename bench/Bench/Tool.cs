using CliWrap;
using CliWrap.Buffered;

namespace UvlhubAspire.Bench;

/// <summary>Runs a program to its end.</summary>
internal static class Tool
{
    /// <summary>Runs a program and returns its standard output.</summary>
    /// <param name="program">The program.</param>
    /// <param name="arguments">Its words.</param>
    /// <param name="limit">After this it is ended.</param>
    /// <param name="cancellationToken">Ends it.</param>
    /// <exception cref="BenchException">It failed; the message has its last words.</exception>
    public static async Task<string> RunAsync(
        string program, IEnumerable<string> arguments, TimeSpan limit, CancellationToken cancellationToken)
    {
        var words = arguments.ToList();
        using var ending = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        ending.CancelAfter(limit);
        try
        {
            var result = await Cli.Wrap(program).WithArguments(words).WithValidation(CommandResultValidation.None)
                .ExecuteBufferedAsync(ending.Token);
            return result.IsSuccess
                ? result.StandardOutput.Trim()
                : throw new BenchException(
                    $"'{program} {string.Join(' ', words)}' ended with code {result.ExitCode}: {result.StandardError.Trim()}");
        }
        catch (OperationCanceledException) when (!cancellationToken.IsCancellationRequested)
        {
            throw new BenchException($"'{program} {string.Join(' ', words)}' did not end within {limit.TotalSeconds:0} s");
        }
    }

    /// <summary>Runs a command of the container engine.</summary>
    public static Task<string> DockerAsync(CancellationToken cancellationToken, params string[] arguments) =>
        RunAsync("docker", arguments, TimeSpan.FromMinutes(2), cancellationToken);
}

/// <summary>A measurement cannot go on; the message says why.</summary>
/// <param name="message">Why.</param>
internal sealed class BenchException(string message) : Exception(message);
