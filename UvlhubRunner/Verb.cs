using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using UvlhubAspire.Runner.Flask;

namespace UvlhubAspire.Runner;

/// <summary>Runs one verb; the one place where failures become messages and exit codes.</summary>
internal static partial class Verb
{
    /// <summary>Builds the host, runs the verb, and sends out what telemetry there is.</summary>
    /// <returns>The exit code, an <see cref="ExitCode"/>.</returns>
    public static async Task<int> RunAsync(
        Func<CancellationToken, Task<IHost>> create, Func<IServiceProvider, CancellationToken, Task<ExitCode>> run,
        CancellationToken cancellationToken)
    {
        try
        {
            using var host = await create(cancellationToken);
            // Nothing but telemetry is a hosted service, and without it there is nothing to start.
            await host.StartAsync(cancellationToken);
            return (int)await RunAsync(host.Services, run, cancellationToken);
        }
        catch (UserErrorException mistake)
        {
            await Console.Error.WriteLineAsync($"UvlhubRunner: {mistake.Message}");
            return (int)ExitCode.Mistake;
        }
    }

    private static async Task<ExitCode> RunAsync(
        IServiceProvider services, Func<IServiceProvider, CancellationToken, Task<ExitCode>> run, CancellationToken cancellationToken)
    {
        var logger = services.GetRequiredService<ILogger<Migration.Migrator>>();
        try
        {
            return await run(services, cancellationToken);
        }
        catch (Exception exception)
        {
            var (code, message) = exception switch
            {
                OperationCanceledException when cancellationToken.IsCancellationRequested => (ExitCode.Interrupted, "Interrupted."),
                UserErrorException mistake => (ExitCode.Mistake, mistake.Message),
                MigrationRefusedException refused => (ExitCode.Refused, $"[{refused.State}] {refused.Message}"),
                MigrationFailedException failed => (failed.ExitCode, failed.Message),
                FlaskException flask => (ExitCode.Failed, flask.Message),
                _ => (ExitCode.Unexpected, exception.ToString()),
            };
            LogEnd(logger, message);
            return code;
        }
    }

    [LoggerMessage(EventId = 1, Level = LogLevel.Error, Message = "{Cause}")]
    private static partial void LogEnd(ILogger logger, string cause);
}
