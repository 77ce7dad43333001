using Microsoft.Extensions.DependencyInjection;
using Polly;
using Polly.Retry;
using Polly.Timeout;

namespace UvlhubAspire.Runner.Resilience;

/// <summary>
/// The ways of trying again. Each has a limit per attempt and one in all, its own predicate, and a name that its
/// metrics and events carry.
/// </summary>
internal static class Pipelines
{
    /// <summary>Opening a connection: tight at first, because a site waits behind it, and patient with a slow start.</summary>
    public const string Connect = "connect";

    public const string Inspect = "inspect";

    /// <summary>Changing the schema or the rows through Flask; every attempt begins by putting right what the last one left.</summary>
    public const string Flask = "flask";

    /// <summary>A scheduled backup, whose repository may be far away: for ever, because nobody else would try it again.</summary>
    public const string Backup = "backup";

    /// <summary>Registers the pipelines, with Polly's metrics and events.</summary>
    public static IServiceCollection AddRunnerPipelines(this IServiceCollection services)
    {
        services.AddSingleton<RetryReport>();
        services.AddResiliencePipeline(Connect, (pipeline, context) =>
        {
            var options = context.ServiceProvider.GetRequiredService<RunnerSettings>().Options.Migrator;
            pipeline.TimeProvider = context.ServiceProvider.GetRequiredService<TimeProvider>();
            pipeline
                .AddTimeout(new TimeoutStrategyOptions { Name = "total", Timeout = options.ConnectTimeout })
                .AddRetry(
                    Retry(
                        "MariaDB", TransientCause.WhenConnecting, TimeSpan.FromMilliseconds(50), TimeSpan.FromMilliseconds(400),
                        int.MaxValue, context.ServiceProvider))
                .AddTimeout(new TimeoutStrategyOptions { Name = "attempt", Timeout = TimeSpan.FromSeconds(5) });
        });
        services.AddResiliencePipeline(Inspect, (pipeline, context) =>
        {
            pipeline.TimeProvider = context.ServiceProvider.GetRequiredService<TimeProvider>();
            pipeline
                .AddTimeout(new TimeoutStrategyOptions { Name = "total", Timeout = TimeSpan.FromMinutes(3) })
                .AddRetry(
                    Retry(
                        "Reading the database", TransientCause.WhenInspecting, TimeSpan.FromMilliseconds(100), TimeSpan.FromSeconds(2), 8,
                        context.ServiceProvider))
                .AddTimeout(new TimeoutStrategyOptions { Name = "attempt", Timeout = TimeSpan.FromSeconds(60) });
        });
        services.AddResiliencePipeline(Flask, (pipeline, context) =>
        {
            pipeline.TimeProvider = context.ServiceProvider.GetRequiredService<TimeProvider>();
            // No limit per attempt here: ending a schema change half-way is FlaskCommand's business, which knows how.
            pipeline.AddRetry(Retry(
                "The migration",
                TransientCause.WhenChanging,
                TimeSpan.FromMilliseconds(500),
                TimeSpan.FromSeconds(10),
                3,
                context.ServiceProvider));
        });
        services.AddResiliencePipeline(Backup, (pipeline, context) =>
        {
            pipeline.TimeProvider = context.ServiceProvider.GetRequiredService<TimeProvider>();
            pipeline.AddRetry(Retry(
                "The backup",
                exception => exception is not OperationCanceledException,
                TimeSpan.FromSeconds(10),
                TimeSpan.FromMinutes(15),
                int.MaxValue,
                context.ServiceProvider));
        });
        return services;
    }

    private static RetryStrategyOptions Retry(
        string what, Func<Exception, bool> isTransient, TimeSpan first, TimeSpan longest, int attempts, IServiceProvider services) => new()
        {
            Name = "retry",
            ShouldHandle = arguments => ValueTask.FromResult(arguments.Outcome.Exception is { } exception && isTransient(exception)),
            BackoffType = DelayBackoffType.Exponential,
            UseJitter = true,
            Delay = first,
            MaxDelay = longest,
            MaxRetryAttempts = attempts,
            OnRetry = arguments =>
            {
                services.GetRequiredService<RetryReport>().Failed(
                    what, arguments.AttemptNumber + 1, CauseText.Of(arguments.Outcome.Exception!), arguments.RetryDelay);
                return ValueTask.CompletedTask;
            },
        };
}
