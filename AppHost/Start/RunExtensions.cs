using Aspire.Hosting.Eventing;
using Aspire.Hosting.Publishing;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using UvlhubAspire.AppHost.Publishing;

namespace Aspire.Hosting;

/// <summary>Runs the application.</summary>
internal static class RunExtensions
{
    /// <summary>
    /// Runs it, and ends it in order also where it is told to end before its start has ended. Aspire then leaves its services
    /// as they are: the network would stay, and so would the files with secrets.
    /// </summary>
    public static async Task RunToEndAsync(this DistributedApplication application)
    {
        var isPublished = !application.Services.GetRequiredService<DistributedApplicationExecutionContext>().IsPublishMode;
        application.Services.GetRequiredService<IDistributedApplicationEventing>().Subscribe<AfterPublishEvent>((_, _) =>
        {
            isPublished = true;
            return Task.CompletedTask;
        });
        await application.RunAsync();
        if (!isPublished && application.Services.GetRequiredService<IConfiguration>()[PublishSteps.CommandLine] is null)
        {
            // Aspire's command line is told; a script has the exit code alone.
            Environment.ExitCode = 1;
        }

        if (!application.Services.GetRequiredService<IHostApplicationLifetime>().ApplicationStarted.IsCancellationRequested)
        {
            await application.StopAsync();
        }
    }
}
