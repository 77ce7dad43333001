using CliWrap;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;

namespace UvlhubAspire.AppHost.Site;

/// <summary>Runs UvlhubRunner beside the migrator, with the migrator's own environment: its settings, its connection strings.</summary>
internal static class RunnerProgram
{
    // A change that is interrupted is undone first.
    private static readonly TimeSpan s_grace = TimeSpan.FromSeconds(100);

    /// <summary>Runs one verb to its end.</summary>
    /// <param name="migrator">The migrator.</param>
    /// <param name="services">The application's services.</param>
    /// <param name="log">The log that gets the runner's output.</param>
    /// <param name="limit">After this it is interrupted.</param>
    /// <param name="words">The verb and its arguments.</param>
    /// <param name="cancellationToken">Interrupts it, as Ctrl+C does.</param>
    public static async Task<CommandOutcome> RunAsync(
        MigratorResource migrator, IServiceProvider services, ILogger log, TimeSpan limit, IReadOnlyList<string> words,
        CancellationToken cancellationToken)
    {
        var configuration = await ExecutionConfigurationBuilder.Create(migrator).WithEnvironmentVariablesConfig()
            .BuildAsync(services.GetRequiredService<DistributedApplicationExecutionContext>(), log, cancellationToken);
        CommandLog.Running(log, $"UvlhubRunner {string.Join(' ', words)}");
        var program = Cli.Wrap(RunnerExecutable.Command)
            .WithArguments([.. RunnerExecutable.Arguments, .. words])
            .WithEnvironmentVariables(variables =>
            {
                // Some values are templates that the orchestrator fills in: whose telemetry it is.
                foreach (var (name, value) in configuration.EnvironmentVariables.Where(
                    variable => !variable.Value.Contains("{{", StringComparison.Ordinal)))
                {
                    variables.Set(name, value);
                }

                // Under another identity the dashboard would know two migrators, and find neither by its name.
                variables.Set("OTEL_SERVICE_NAME", migrator.Name);
                if (Instance(migrator, services) is { } instance)
                {
                    variables.Set("OTEL_RESOURCE_ATTRIBUTES", $"service.instance.id={instance}");
                }
            });
        return await CommandRun.ExecuteAsync(program, log, limit, s_grace, cancellationToken);
    }

    // The orchestrator names a resource 'migrator-INSTANCE'.
    private static string? Instance(MigratorResource migrator, IServiceProvider services) =>
        services.GetRequiredService<ResourceNotificationService>().TryGetCurrentState(migrator.Name, out var current)
            && current.ResourceId.StartsWith($"{migrator.Name}-", StringComparison.Ordinal)
                ? current.ResourceId[(migrator.Name.Length + 1)..]
                : null;
}
