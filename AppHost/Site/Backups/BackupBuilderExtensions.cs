using System.Globalization;
using UvlhubAspire.AppHost.Site;
using UvlhubAspire.AppHost.Uvlhub;

namespace Aspire.Hosting;

/// <summary>Adds what backs a deployed site up.</summary>
internal static class BackupBuilderExtensions
{
    // In seconds since 1970, which a shell can compare.
    private const string Health =
        $$"""{ read -r until; read -r why; } < {{SharedNames.BackupState}} || exit 1; echo "$why"; [ "$(date +%s)" -lt "$until" ]""";

    /// <summary>
    /// Adds a container that makes a backup at intervals, of rows and uploads together, where <c>Uvlhub:Backups:Repository</c> names a
    /// repository and the model is published; and has the toolbox reach that, too. It is healthy while the last backup is younger than two
    /// intervals.
    /// </summary>
    /// <param name="builder">The application that is being built.</param>
    /// <param name="name">The resource's name.</param>
    /// <param name="uvlhub">The checkout and the settings.</param>
    /// <param name="database">The application's database.</param>
    /// <param name="toolbox">The container in which people ask for a backup.</param>
    /// <param name="migrator">What brings the database to where it can be backed up.</param>
    public static void AddBackups(
        this IDistributedApplicationBuilder builder, [ResourceName] string name, UvlhubEnvironment uvlhub,
        IResourceBuilder<MariaDBDatabaseResource> database, IResourceBuilder<FlaskResource> toolbox, IResourceBuilder<IResource> migrator)
    {
        if (!builder.ExecutionContext.IsPublishMode || uvlhub.Options.Backups.Repository is not { Length: > 0 } repository)
        {
            return;
        }

        if (SecretKeys.OfBackups(repository).Contains(SecretKeys.BackupSshKey) && string.IsNullOrEmpty(uvlhub.Options.Backups.KnownHosts))
        {
            throw new UserErrorException(
                $"{UvlhubOptions.Section}:{nameof(UvlhubOptions.Backups)}:{nameof(UvlhubOptions.BackupOptions.KnownHosts)} is missing: no "
                + $"machine is trusted to be that of {repository} whose key it does not have; 'ssh-keyscan HOST' prints it");
        }

        var secrets = SecretKeys.OfBackups(repository)
            .Select(key => builder.AddParameter(
                $"{uvlhub.Profile.SecretPrefix}{key.ToLowerInvariant().Replace('_', '-')}", () => "", secret: true))
            .ToList();
        var backup = builder.AddCheckoutContainer(new FlaskResource(name) { Role = FlaskRole.Backup }, uvlhub, database)
            .WithArgs("UvlhubRunner", "schedule")
            .WaitForCompletion(migrator)
            .PublishedAs(PublishedKind.Single, new PublishedProbe(["sh", "-c", Health]) { StartPeriod = "20s" })
            .WithIconName("Save");
        foreach (var container in (IResourceBuilder<FlaskResource>[])[backup, toolbox])
        {
            container.WithRepository(repository, uvlhub, secrets);
        }
    }

    private static void WithRepository(
        this IResourceBuilder<FlaskResource> builder, string repository, UvlhubEnvironment uvlhub,
        List<IResourceBuilder<ParameterResource>> secrets)
    {
        var backups = uvlhub.Options.Backups;
        const string Section = $"{UvlhubOptions.Section}__{nameof(UvlhubOptions.Backups)}__";
        builder
            .WithEnvironment($"{Section}{nameof(backups.Repository)}", repository)
            .WithEnvironment($"{Section}{nameof(backups.Every)}", backups.Every.ToString("c", CultureInfo.InvariantCulture))
            .WithEnvironment($"{Section}{nameof(backups.KeepDaily)}", Text(backups.KeepDaily))
            .WithEnvironment($"{Section}{nameof(backups.KeepWeekly)}", Text(backups.KeepWeekly))
            .WithEnvironment($"{Section}{nameof(backups.KeepMonthly)}", Text(backups.KeepMonthly))
            .WithEnvironment(
                $"{UvlhubOptions.Section}__{nameof(UvlhubOptions.Publish)}__{nameof(UvlhubOptions.PublishOptions.Name)}",
                uvlhub.PublishedName)
            // For restic in a person's hands.
            .WithEnvironment("RESTIC_REPOSITORY", repository)
            .WithEnvironment("RESTIC_PASSWORD", secrets[0]);
        if (backups.KnownHosts is { Length: > 0 } knownHosts)
        {
            builder.WithEnvironment($"{Section}{nameof(backups.KnownHosts)}", knownHosts);
        }

        foreach (var (key, secret) in SecretKeys.OfBackups(repository).Zip(secrets).Skip(1))
        {
            builder.WithEnvironment(key, secret);
        }

        if (repository.StartsWith('/'))
        {
            // The server's own folder, under the same name.
            builder.WithVolume(repository, repository);
        }
    }

    private static string Text(int number) => number.ToString(CultureInfo.InvariantCulture);
}
