using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;

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
        await application.RunAsync();
        if (!application.Services.GetRequiredService<IHostApplicationLifetime>().ApplicationStarted.IsCancellationRequested)
        {
            await application.StopAsync();
        }
    }
}
