using System.Globalization;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using Microsoft.Extensions.Diagnostics.HealthChecks;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using UvlhubAspire.AppHost.Services;
using UvlhubAspire.AppHost.Uvlhub;

namespace UvlhubAspire.AppHost.Production;

/// <summary>
/// Has certbot ask for the certificate, and for the next one before it ends: what ssl_setup.sh and ssl_renew.sh did by
/// hand. A failure leaves the certificate that there is where it is, and is shown until an attempt succeeds.
/// </summary>
internal sealed partial class CertificateKeeper(
    CertbotResource certbot,
    TlsSettings settings,
    ContainerEngine engine,
    ResourceNotificationService notifications,
    ResourceLoggerService loggers,
    TimeProvider time) : BackgroundService, IHealthCheck
{
    private static readonly TimeSpan s_limit = TimeSpan.FromMinutes(5);
    private static readonly TimeSpan s_read = TimeSpan.FromSeconds(20);
    private readonly SemaphoreSlim _one = new(1);
    private readonly ILogger _logger = loggers.GetLogger(certbot);

    /// <summary>What is known now.</summary>
    public CertificateState State { get; private set; } = new();

    /// <summary>Asks for a certificate now, due or not.</summary>
    /// <returns>Why it failed; <see langword="null"/> if it did not.</returns>
    public async Task<string?> RenewAsync(CancellationToken cancellationToken)
    {
        await LookAsync(isForced: true, cancellationToken);
        return State.Failure;
    }

    public Task<HealthCheckResult> CheckHealthAsync(HealthCheckContext context, CancellationToken cancellationToken = default) =>
        Task.FromResult(State switch
        {
            { Failure: { } failure, Ends: { } ends } =>
                HealthCheckResult.Unhealthy($"not renewed: {failure}. The certificate until {Text(ends)} stays"),
            { Failure: { } failure } => HealthCheckResult.Unhealthy($"no certificate: {failure}"),
            { Ends: { } ends } => HealthCheckResult.Healthy($"until {Text(ends)}"),
            _ => HealthCheckResult.Degraded("not asked for yet"),
        });

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        while (true)
        {
            await notifications.WaitForResourceAsync(certbot.Name, KnownResourceStates.Running, stoppingToken);
            // One that runs may not answer yet, and the authority would count that as a failure.
            await notifications.WaitForResourceHealthyAsync(certbot.WebServer.Name, stoppingToken);
            await LookAsync(isForced: false, stoppingToken);
            await Task.Delay(State.Next!.Value - time.GetUtcNow(), time, stoppingToken);
        }
    }

    private async Task LookAsync(bool isForced, CancellationToken cancellationToken)
    {
        await _one.WaitAsync(cancellationToken);
        try
        {
            var state = await ReadAsync(cancellationToken) with { Failures = State.Failures, Failure = State.Failure };
            if (isForced || state.IsDue(time.GetUtcNow(), settings))
            {
                var failure = await AskAsync(isForced || state.Ends is not null, cancellationToken);
                state = await ReadAsync(cancellationToken) with { Failure = failure, Failures = failure is null ? 0 : state.Failures + 1 };
                if (failure is null)
                {
                    LogIssued(settings.Domain, Text(state.Ends ?? time.GetUtcNow()));
                }
                else if (state.Ends is { } ends)
                {
                    LogNotRenewed(settings.Domain, Text(ends), failure);
                }
                else
                {
                    LogNotIssued(settings.Domain, failure);
                }
            }
            else
            {
                state = state with { Failure = null, Failures = 0 };
            }

            State = state with { Next = state.NextLook(time.GetUtcNow(), settings) };
            await ShowAsync();
        }
        finally
        {
            _one.Release();
        }
    }

    private async Task<CertificateState> ReadAsync(CancellationToken cancellationToken)
    {
        var read = await engine.RunAsync(
            s_read, cancellationToken, "exec", certbot.Container, "cat",
            $"{TlsConfiguration.Certificates}/live/{settings.Domain}/fullchain.pem");
        if (!read.Succeeded)
        {
            return new CertificateState();
        }

        try
        {
            using var certificate = X509Certificate2.CreateFromPem(read.Output);
            return new CertificateState { Ends = certificate.NotAfter.ToUniversalTime() };
        }
        catch (CryptographicException)
        {
            return new CertificateState();
        }
    }

    private async Task<string?> AskAsync(bool renews, CancellationToken cancellationToken)
    {
        var asked = await engine.RunAsync(
            s_limit, cancellationToken, ["exec", certbot.Container, .. CertbotResource.Command(settings, renews)]);
        foreach (var line in $"{asked.Output}\n{asked.Error}".Split('\n', StringSplitOptions.RemoveEmptyEntries))
        {
            LogOutput(line);
        }

        return asked.Succeeded ? null : Cause($"{asked.Output}\n{asked.Error}");
    }

    // certbot names the cause in the middle, and ends with where to ask for help.
    private static string Cause(string output)
    {
        var lines = output.Split('\n', StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries);
        return lines.FirstOrDefault(line => line.StartsWith("Detail:", StringComparison.Ordinal))
            ?? lines.SkipWhile(line => !line.Contains("error", StringComparison.OrdinalIgnoreCase)).Skip(1)
                .FirstOrDefault(line => !line.StartsWith("Ask for help", StringComparison.Ordinal))
            ?? lines.LastOrDefault(line => !line.StartsWith("Ask for help", StringComparison.Ordinal))
            ?? "certbot said nothing";
    }

    private Task ShowAsync() => notifications.PublishUpdateAsync(certbot, snapshot => snapshot with
    {
        Properties =
        [
            .. snapshot.Properties.Where(property => !property.Name.StartsWith("certificate.", StringComparison.Ordinal)),
            new ResourcePropertySnapshot("certificate.domain", settings.Domain),
            new ResourcePropertySnapshot("certificate.until", State.Ends is { } ends ? Text(ends) : "none"),
            new ResourcePropertySnapshot(
                "certificate.next", Text(State.Ends is { } end && State.Failure is null ? end - settings.RenewBefore : State.Next!.Value)),
            new ResourcePropertySnapshot("certificate.failure", State.Failure ?? "none"),
        ],
    });

    private static string Text(DateTimeOffset moment) =>
        moment.UtcDateTime.ToString("yyyy-MM-dd HH:mm 'UTC'", CultureInfo.InvariantCulture);

    [LoggerMessage(EventId = 700, Level = LogLevel.Information, Message = "The certificate of {Domain} holds until {Ends}")]
    private partial void LogIssued(string domain, string ends);

    [LoggerMessage(EventId = 701, Level = LogLevel.Error, Message = "The certificate of {Domain} was not renewed; the one that holds "
        + "until {Ends} stays. {Reason}")]
    private partial void LogNotRenewed(string domain, string ends, string reason);

    [LoggerMessage(EventId = 702, Level = LogLevel.Error, Message = "There is no certificate for {Domain}, and the site is served without "
        + "TLS: {Reason}. The authority must reach port 80 of this machine under that name")]
    private partial void LogNotIssued(string domain, string reason);

    [LoggerMessage(EventId = 703, Level = LogLevel.Information, Message = "  certbot | {Line}")]
    private partial void LogOutput(string line);
}
