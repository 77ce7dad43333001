using Microsoft.Extensions.Configuration;

namespace Aspire.Hosting;

/// <summary>Begins the application.</summary>
internal static class UvlhubApplication
{
    /// <summary>
    /// Aspire's own builder, with what has to be known before it is there: whether the dashboard runs (<c>Uvlhub:Dashboard</c>, on the
    /// command line or in the environment).
    /// </summary>
    /// <param name="args">The command line.</param>
    public static IDistributedApplicationBuilder CreateBuilder(string[] args)
    {
        var settings = new ConfigurationBuilder().AddEnvironmentVariables().AddCommandLine(args).Build();
        var dashboard = settings[$"{UvlhubOptions.Section}:{nameof(UvlhubOptions.Dashboard)}"];
        return DistributedApplication.CreateBuilder(new DistributedApplicationOptions
        {
            Args = args,
            DisableDashboard = bool.TryParse(dashboard, out var runs) && !runs,
        });
    }
}
