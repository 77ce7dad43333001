using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using UvlhubAspire.Runner.Backups;
using UvlhubAspire.Runner.Database;
using UvlhubAspire.Runner.Flask;
using UvlhubAspire.Runner.Journal;
using UvlhubAspire.Runner.Migration;
using UvlhubAspire.Runner.Resilience;
using UvlhubAspire.Runner.Revisions;
using UvlhubAspire.Runner.Server;
using UvlhubAspire.Runner.Snapshots;
using UvlhubAspire.Runner.Verbs;
using UvlhubAspire.ServiceDefaults;

namespace UvlhubAspire.Runner;

/// <summary>Puts the runner's parts together.</summary>
internal static class RunnerHost
{
    /// <param name="logToError">Whether standard output belongs to the answer, and the log goes to standard error.</param>
    /// <exception cref="UserErrorException">The checkout or a setting is wrong.</exception>
    public static async Task<IHost> CreateAsync(string[] arguments, bool logToError, CancellationToken cancellationToken)
    {
        SecretFiles.Read();
        var builder = Begin(arguments, logToError);
        builder.Services
            .AddSingleton(await RunnerSettings.ReadAsync(builder.Configuration, cancellationToken))
            .AddSingleton<UvlhubDatabase>()
            .AddSingleton<SiteLockout>()
            .AddSingleton<MigrationJournal>()
            .AddSingleton<Toolbox>()
            .AddSingleton<AlembicReader>()
            .AddSingleton(services => new RevisionReader(
                services.GetRequiredService<RunnerSettings>().Checkout.RevisionsDirectory,
                services.GetRequiredService<AlembicReader>().ReadAsync))
            .AddSingleton(services => new SnapshotStore(
                services.GetRequiredService<RunnerSettings>().SnapshotFolder,
                services.GetRequiredService<RunnerSettings>().Options.Snapshots.Keep,
                services.GetRequiredService<TimeProvider>()))
            .AddSingleton<SnapshotKeeper>()
            .AddSingleton<UploadedFiles>()
            .AddSingleton<Rollback>()
            .AddSingleton<JournaledChanges>()
            .AddSingleton<FlaskCommands>()
            .AddSingleton<Refusals>()
            .AddSingleton<UnversionedTables>()
            .AddSingleton<ChangeReader>()
            .AddSingleton<RevisionLint>()
            .AddSingleton<Rehearsal>()
            .AddSingleton<Migrator>()
            .AddSingleton<StatusReader>()
            .AddSingleton<StatusVerb>()
            .AddSingleton<PlanVerb>()
            .AddSingleton<SnapshotVerbs>()
            .AddSingleton<DataVerbs>()
            .AddSingleton<BackupSeries>()
            .AddSingleton<SftpAccess>()
            .AddSingleton<BackupRepository>()
            .AddSingleton<BackupSchedule>()
            .AddSingleton<BackupVerbs>()
            .AddRunnerPipelines();
        return builder.Build();
    }

    /// <summary>What looks after a stack: of a database and a checkout it knows nothing.</summary>
    /// <exception cref="UserErrorException">A setting is wrong.</exception>
    public static IHost CreateForStack(string[] arguments, string stack)
    {
        SecretFiles.Read();
        // What a person reads is the answer; the log is beside it.
        var builder = Begin(arguments, logToError: true);
        builder.Services
            .AddSingleton(SettingsReader.Read(builder.Configuration))
            .AddSingleton(new SwarmStack(ContainerEngine.FromConfiguration(builder.Configuration), stack))
            .AddSingleton<SwarmDeployments>()
            .AddSingleton<Registry>()
            .AddSingleton<ImageUpdate>()
            .AddSingleton<StackVerbs>();
        return builder.Build();
    }

    private static HostApplicationBuilder Begin(string[] arguments, bool logToError)
    {
        var builder = new HostApplicationBuilder(
            new HostApplicationBuilderSettings { DisableDefaults = true, ApplicationName = "UvlhubRunner" });
        builder.Configuration
            .AddUserSecrets(SharedNames.UserSecrets)
            .AddEnvironmentVariables()
            .AddCommandLine(arguments);

        builder.Logging
            .AddConsole(console =>
            {
                console.FormatterName = RunnerLog.FormatterName;
                console.LogToStandardErrorThreshold = logToError ? LogLevel.Trace : LogLevel.None;
            })
            // Polly's own events are for the dashboard; on the console RetryReport says the same in fewer lines.
            .AddFilter<Microsoft.Extensions.Logging.Console.ConsoleLoggerProvider>("Polly", LogLevel.None)
            .AddFilter<Microsoft.Extensions.Logging.Console.ConsoleLoggerProvider>("Microsoft", LogLevel.Warning);
        // Not through AddConsoleFormatter, which reads options by reflection; this formatter has none.
        builder.Services.AddSingleton<Microsoft.Extensions.Logging.Console.ConsoleFormatter, RunnerLog>();
        builder.AddServiceDefaults(Telemetry.Name, "Polly");
        builder.Services.AddSingleton(TimeProvider.System).AddSingleton<IConfiguration>(builder.Configuration);
        return builder;
    }
}
