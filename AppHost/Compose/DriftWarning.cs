using Aspire.Hosting.Eventing;
using Aspire.Hosting.Lifecycle;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.Logging;
using UvlhubAspire.AppHost.Images;
using UvlhubAspire.AppHost.Site;
using UvlhubAspire.AppHost.Uvlhub;
using UvlhubAspire.Hosting.Compose;

namespace UvlhubAspire.AppHost.Compose;

/// <summary>
/// Says at the start what of the checkout's compose file is not taken over, and how many differences to the model nobody
/// meant; with <c>Uvlhub:Check</c> it prints the whole comparison instead, and nothing is started.
/// </summary>
internal sealed partial class DriftWarning(
    UvlhubEnvironment uvlhub, IConfiguration configuration, DistributedApplicationExecutionContext application, ILoggerFactory loggers)
    : IDistributedApplicationEventingSubscriber
{
    // The callbacks that are asked for variables and arguments are quick; one that is not must not hold up the start.
    private static readonly TimeSpan s_limit = TimeSpan.FromSeconds(20);
    private readonly ILogger _logger = loggers.CreateLogger("UvlhubAspire.Compose");

    public Task SubscribeAsync(
        IDistributedApplicationEventing eventing, DistributedApplicationExecutionContext context, CancellationToken cancellationToken)
    {
        if (context.IsRunMode)
        {
            eventing.Subscribe<BeforeStartEvent>(
                (start, ct) => uvlhub.Options.Check ? AnswerAsync(start.Model, ct) : WarnAsync(start.Model, ct));
        }

        return Task.CompletedTask;
    }

    private async Task WarnAsync(DistributedApplicationModel model, CancellationToken cancellationToken)
    {
        foreach (var finding in uvlhub.ComposeFindings)
        {
            LogFinding(finding.ToString());
        }

        if (FlaskResource.SiteOf(model.Resources)?.Script?.NotRun is { } notRun)
        {
            LogFinding(notRun);
        }

        if (uvlhub.Compose is not { } file)
        {
            return;
        }

        try
        {
            var unexplained = (await CompareAsync(file, model, cancellationToken)).Unexplained.Count();
            if (unexplained > 0)
            {
                LogUnexplained(unexplained, file.Path, uvlhub.Checkout.Path);
            }
        }
        catch (Exception exception) when (!cancellationToken.IsCancellationRequested)
        {
            LogNotCompared(file.Path, exception.Message);
        }
    }

    private async Task AnswerAsync(DistributedApplicationModel model, CancellationToken cancellationToken)
    {
        if (uvlhub.Compose is not { } file)
        {
            throw new AnswerException((uvlhub.Profile.HasServices
                ? $"{uvlhub.Checkout.Path} has no compose file for development; there is nothing to compare"
                : $"{uvlhub.Profile.Name} is the site alone, without a compose file; there is nothing to compare")
                    + Environment.NewLine, exitCode: 0);
        }

        var report = await CompareAsync(file, model, cancellationToken);
        var checkout = uvlhub.Checkout;
        throw new AnswerException(
            report.Render()
            + Listed(
                "Requirements that pip cannot install as they are, and that are helped (Uvlhub:Pip:BuildConstraint)",
                [.. PipAdvisor.KnownToFail(checkout)])
            + Listed(
                "Requirements that pip has to build from source, because they are older than the image's Python",
                checkout.DevelopmentDockerfile is { BaseImages.Count: > 0 } dockerfile
                    ? await PipAdvisor.WithoutWheelAsync(checkout, dockerfile, uvlhub.PackageIndex, requirements: null, cancellationToken)
                    : []),
            exitCode: report.Unexplained.Any() ? 1 : 0);
    }

    private static string Listed(string title, IReadOnlyList<string> lines) => lines.Count == 0 ? "" : $"""

        {title}
          {string.Join($"{Environment.NewLine}  ", lines)}

        """;

    private async Task<DriftReport> CompareAsync(ComposeFile file, DistributedApplicationModel model, CancellationToken cancellationToken)
    {
        using var limit = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        limit.CancelAfter(s_limit);
        return await new DriftCheck(uvlhub, configuration, application).CompareAsync(
            file, uvlhub.ComposeFindings, model.Resources, limit.Token);
    }

    [LoggerMessage(EventId = 600, Level = LogLevel.Warning, Message = "{Finding}")]
    private partial void LogFinding(string finding);

    [LoggerMessage(EventId = 601, Level = LogLevel.Warning, Message = "{Count} differences between {File} and what runs here are not "
        + "explained; './run --check {Checkout}' names them")]
    private partial void LogUnexplained(int count, string file, string checkout);

    [LoggerMessage(EventId = 602, Level = LogLevel.Warning, Message = "{File} could not be compared with what runs here: {Reason}")]
    private partial void LogNotCompared(string file, string reason);
}
