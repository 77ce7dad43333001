using Microsoft.Extensions.Configuration;
using UvlhubAspire.Runner.Server;

namespace UvlhubAspire.Runner.Verbs;

/// <summary><c>history</c>, <c>rollback</c>, <c>update</c> and <c>serve-updates</c>: what a server's stack needs when nobody has an AppHost. They
/// work with the engine's socket.</summary>
internal sealed partial class StackVerbs(
    UvlhubOptions options, IConfiguration configuration, SwarmDeployments deployments, ImageUpdate update, TimeProvider time,
    ILogger<StackVerbs> logger)
{
    /// <summary>Who asks, where a person runs the verb.</summary>
    private const string Person = "a person on the server";

    /// <summary>Lists what was deployed.</summary>
    public async Task<ExitCode> ListAsync(TextWriter output, CancellationToken cancellationToken)
    {
        foreach (var line in SwarmHistory.Describe(await deployments.History.ReadAsync(cancellationToken)))
        {
            await output.WriteLineAsync(line);
        }

        return ExitCode.Done;
    }

    /// <summary>Goes back to a version.</summary>
    /// <exception cref="UserErrorException">It cannot be gone back to, or nobody agrees.</exception>
    public async Task<ExitCode> RollBackAsync(string version, bool keepsDatabase, bool isAgreed, CancellationToken cancellationToken)
    {
        var plan = await deployments.PlanReturnAsync(version, keepsDatabase, cancellationToken);
        var question = await deployments.DescribeAsync(plan, cancellationToken);
        await Console.Out.WriteLineAsync(question);
        if (!isAgreed)
        {
            if (Console.IsInputRedirected)
            {
                throw new UserErrorException("nothing was changed: '--yes' goes back without asking");
            }

            await Console.Out.WriteAsync($"Go back to {plan.Target.Version}? [y/N] ");
            if (await Console.In.ReadLineAsync(cancellationToken) is not ("y" or "Y" or "yes"))
            {
                throw new UserErrorException("nothing was changed");
            }
        }

        LogDone(string.Join("; ", (await deployments.ReturnAsync(plan, Person, cancellationToken)).DefaultIfEmpty("nothing has changed")));
        return ExitCode.Done;
    }

    /// <summary>Deploys what the registry has now.</summary>
    public async Task<ExitCode> UpdateAsync(CancellationToken cancellationToken)
    {
        await update.RunAsync(Person, onlyUntried: false, cancellationToken);
        return ExitCode.Done;
    }

    /// <summary>Deploys when it is asked for by the webhook, or when the registry has something that was never tried; until it is told to
    /// end.</summary>
    /// <exception cref="UserErrorException">There is nothing that it could wait for.</exception>
    public async Task<ExitCode> ServeAsync(CancellationToken cancellationToken)
    {
        var token = configuration[SecretKeys.WebhookToken];
        if (options.Updates.Webhook && token is not { Length: >= SecretKeys.ShortestWebhookToken })
        {
            throw new UserErrorException(
                $"{SecretKeys.WebhookToken} has fewer than {SecretKeys.ShortestWebhookToken} characters, and anybody may try to guess it: 'openssl rand -hex 32'");
        }

        await Task.WhenAll(
            options.Updates.Webhook
                ? new Webhook(token!, stop => TryAsync("the webhook", onlyUntried: false, stop), time, logger).RunAsync(cancellationToken)
                : Task.CompletedTask,
            options.Updates.CheckEvery > TimeSpan.Zero ? WatchAsync(options.Updates.CheckEvery, cancellationToken) : Task.CompletedTask);
        return ExitCode.Done;
    }

    private async Task WatchAsync(TimeSpan pause, CancellationToken cancellationToken)
    {
        while (true)
        {
            await Task.Delay(pause, time, cancellationToken);
            await TryAsync("the registry", onlyUntried: true, cancellationToken);
        }
    }

    // The next image may be a better one.
    private async Task TryAsync(string by, bool onlyUntried, CancellationToken cancellationToken)
    {
        try
        {
            await update.RunAsync(by, onlyUntried, cancellationToken);
        }
        catch (UserErrorException failure)
        {
            LogFailed(failure.Message);
        }
    }

    [LoggerMessage(EventId = 830, Level = LogLevel.Information, Message = "The site is what it was: {Changes}")]
    private partial void LogDone(string changes);

    [LoggerMessage(EventId = 831, Level = LogLevel.Error, Message = "Not deployed: {Reason}")]
    private partial void LogFailed(string reason);
}
