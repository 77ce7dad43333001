using System.Reflection;
using CliWrap;
using CliWrap.Buffered;

namespace UvlhubAspire.EndToEnd.Tests;

/// <summary>What <c>aspire publish</c> writes of the bundled sample, and the images that it names.</summary>
public static class Published
{
    /// <summary>Runs one step of the AppHost's pipeline, as <c>aspire do STEP</c> does.</summary>
    public static async Task RunStepAsync(
        string step, string folder, SampleCheckout checkout, CancellationToken cancellationToken, params string[] settings)
    {
        var (succeeds, output) = await TryStepAsync(step, folder, checkout, engine: null, cancellationToken, settings);
        if (!succeeds)
        {
            throw new InvalidOperationException($"{step} failed:\n{output}");
        }
    }

    /// <summary>Runs one step, on another engine than the machine's where one is named.</summary>
    /// <returns>Whether it succeeded, and what it said.</returns>
    public static async Task<(bool Succeeds, string Output)> TryStepAsync(
        string step, string folder, SampleCheckout checkout, string? engine, CancellationToken cancellationToken, params string[] settings)
    {
        var result = await Cli.Wrap(AppHost)
            .WithArguments(
                ["--operation", "publish", "--step", step, "--output-path", folder, $"--Uvlhub:Path={checkout.Path}", .. settings])
            // It ends at once; what it read needs no watching, for which Linux gives a user 128 places in all.
            .WithEnvironmentVariables(environment => environment
                .Set("DOTNET_hostBuilder__reloadConfigOnChange", "false")
                .Set("DOCKER_HOST", engine ?? Environment.GetEnvironmentVariable("DOCKER_HOST")))
            .WithValidation(CommandResultValidation.None)
            .ExecuteBufferedAsync(cancellationToken);
        return (result.ExitCode == 0, $"{result.StandardOutput}\n{result.StandardError}");
    }

    /// <summary>Fills in a template of settings: every variable without a value needs one in <paramref name="values"/>.</summary>
    public static string FillIn(
        string template, IReadOnlyDictionary<string, string> values) => string.Join('\n', template.Split('\n').Select(line =>
        line.Split('=', 2) is [{ Length: > 0 } name, var value] && !name.StartsWith('#')
            ? values.TryGetValue(name, out var given) ? $"{name}='{given}'"
                : value.Length > 0 ? line
                : throw new InvalidOperationException($"{name} has no value")
            : line));

    private static string AppHost => Path.Combine(
        Path.GetDirectoryName(Assembly.Load("AppHost").Location)!, OperatingSystem.IsWindows() ? "AppHost.exe" : "AppHost");
}
