namespace UvlhubAspire.Engine;

/// <summary>Brings versions of the site into a stack, writes them down, and goes back to one.</summary>
/// <param name="stack">The stack.</param>
/// <param name="time">The clock.</param>
public sealed class SwarmDeployments(SwarmStack stack, TimeProvider time)
{
    /// <summary>The service that updates the others, and so itself last.</summary>
    public const string Updater = "updater";

    // As many versions can be gone back to without a registry.
    private const int KeptVersions = 5;

    /// <summary>Where the database is looked after.</summary>
    public SwarmToolbox Toolbox { get; } = new(stack);

    /// <summary>What was deployed.</summary>
    public SwarmHistory History { get; } = new(stack);

    /// <summary>Updates services, waits until everything runs, and writes down what came of it.</summary>
    /// <param name="by">Who or what asks for it.</param>
    /// <param name="begin">Has the update begin.</param>
    /// <param name="cancellationToken">Ends the waiting.</param>
    /// <returns>What changed, a line each.</returns>
    /// <exception cref="UserErrorException">Something does not come up; what was there before serves, and the message says with which
    /// schema.</exception>
    public async Task<IReadOnlyList<string>> DeployAsync(string by, Func<Task> begin, CancellationToken cancellationToken)
    {
        IReadOnlyDictionary<string, string>? tried = null;
        try
        {
            var changes = await stack.UpdateAsync(
                async () =>
                {
                    await begin();
                    tried = await ImagesAsync(cancellationToken);
                },
                cancellationToken);
            if (changes.Count > 0)
            {
                await AddAsync(by, await ImagesAsync(cancellationToken), failure: null, cancellationToken);
                await RemoveOldImagesAsync(cancellationToken);
            }

            return changes;
        }
        catch (UserErrorException failure)
        {
            if (tried is not null)
            {
                await AddFailureAsync(by, tried, failure.Message, cancellationToken);
            }

            throw await SchemaOfTheVersionBeforeAsync(cancellationToken) is { } said
                ? new UserErrorException($"{failure.Message}{Environment.NewLine}{said}")
                : failure;
        }
    }

    /// <summary>Writes down what failed, so that the version is not tried again by itself.</summary>
    /// <param name="by">Who or what asked for it.</param>
    /// <param name="images">What was to be run.</param>
    /// <param name="failure">Why it failed.</param>
    /// <param name="cancellationToken">Ends it.</param>
    public Task AddFailureAsync(
        string by, IReadOnlyDictionary<string, string> images, string failure, CancellationToken cancellationToken) =>
        AddAsync(by, images, failure.Split([Environment.NewLine, SwarmStack.LastLines], StringSplitOptions.None)[0], cancellationToken);

    /// <summary>What going back to a version takes.</summary>
    /// <param name="version">The version as the history has it, or its tag.</param>
    /// <param name="keepsDatabase">Whether the schema stays as it is, whatever that version was written for.</param>
    /// <param name="cancellationToken">Ends it.</param>
    /// <exception cref="UserErrorException">It cannot be gone back to; the message says why.</exception>
    public async Task<SwarmReturn> PlanReturnAsync(string version, bool keepsDatabase, CancellationToken cancellationToken)
    {
        var deployed = await History.ReadAsync(cancellationToken);
        var served = deployed.Where(known => known.Failure is null).ToList();
        var target = served.Find(known => known.Version == version)
            ?? served.Find(known => known.Version.Split('@')[0] == version)
            ?? throw new UserErrorException(
                $"{stack.Name} never served {version}; "
                + (served.Count == 0 ? "nothing was deployed yet"
                    : $"it did {string.Join(", ", served.Select(known => known.Version).Distinct())}"));
        if (keepsDatabase)
        {
            return new SwarmReturn(target, null, null);
        }

        var status = await Toolbox.StatusAsync(cancellationToken);
        return target.Revision == status.Revision ? new SwarmReturn(target, null, null)
            : new SwarmReturn(target, status.Revision, SnapshotFor(target, status) ?? throw new UserErrorException(
                $"the database is at revision {status.Revision}, {target.Version} was served with {target.Revision ?? "nobody knows which"}, and "
                + "there is no snapshot of that: '--keep-database' goes back to the version alone, which may not know the tables as they are"));
    }

    /// <summary>Says what would be done, for whoever has to agree. Where rows would go, they are kept first.</summary>
    /// <exception cref="UserErrorException">They cannot be kept; the message says why.</exception>
    public async Task<string> DescribeAsync(SwarmReturn plan, CancellationToken cancellationToken)
    {
        if (plan.Snapshot is not { } snapshot)
        {
            return $"The site goes back to {plan.Target.Version}; rows and uploads stay as they are.";
        }

        var kept = await Toolbox.RunAsync(cancellationToken, "backup");
        var now = (await Toolbox.StatusAsync(cancellationToken)).Snapshots.First(known => known.Name == kept);
        return $"{plan.Target.Version} needs revision {plan.Target.Revision}, and the database is at {plan.Revision}: snapshot {snapshot.Name}, "
            + $"with {snapshot.Rows} rows, takes the place of what is there, {now.Rows} rows. What was written since is in snapshot {kept}.";
    }

    /// <summary>Goes back: the snapshot, if there is one to take, then the images.</summary>
    /// <param name="plan">What to do.</param>
    /// <param name="by">Who asks for it.</param>
    /// <param name="cancellationToken">Ends the waiting.</param>
    /// <returns>What changed, a line each.</returns>
    /// <exception cref="UserErrorException">It did not succeed; the message says what serves.</exception>
    public async Task<IReadOnlyList<string>> ReturnAsync(SwarmReturn plan, string by, CancellationToken cancellationToken)
    {
        if (plan.Snapshot is { } snapshot)
        {
            await Toolbox.RunAsync(cancellationToken, "restore", snapshot.Name);
        }

        var changes = await DeployAsync(
            by, () => stack.RunImagesAsync(plan.Target.Images, cancellationToken), cancellationToken);
        await UpdateUpdaterAsync(cancellationToken);
        return changes;
    }

    /// <summary>Has the updater run what the toolbox runs; where it is the updater that asks, it ends by that.</summary>
    public async Task UpdateUpdaterAsync(CancellationToken cancellationToken)
    {
        var services = await stack.ServicesAsync(cancellationToken);
        if (services.FirstOrDefault(service => service.Name == Updater) is { } updater
            && services.FirstOrDefault(service => service.Name == SwarmToolbox.Service) is { } toolbox && toolbox.Image != updater.Image)
        {
            await stack.RunImagesAsync([new(Updater, toolbox.Image)], cancellationToken);
        }
    }

    private async Task<Dictionary<string, string>> ImagesAsync(CancellationToken cancellationToken) =>
        (await stack.ServicesAsync(cancellationToken))
        .Where(service => service is { IsSite: true, IsJob: false } && service.Name != Updater)
        .ToDictionary(service => service.Name, service => service.Image);

    private async Task AddAsync(
        string by, IReadOnlyDictionary<string, string> images, string? failure, CancellationToken cancellationToken)
    {
        string? revision = null;
        try
        {
            revision = (await Toolbox.StatusAsync(cancellationToken)).Revision;
        }
        catch (UserErrorException)
        {
            // Nothing that was deployed is undone because its history lacks a word.
        }

        await History.AddAsync(
            new SwarmDeployed(time.GetUtcNow(), Version(images), by, failure, revision, images), cancellationToken);
    }

    // The version before goes on with a schema that it may not know. If it cannot, it gets its own back.
    private async Task<string?> SchemaOfTheVersionBeforeAsync(CancellationToken cancellationToken)
    {
        if ((await History.ReadAsync(cancellationToken)).FirstOrDefault(known => known.Failure is null) is not { } before)
        {
            return null;
        }

        SchemaStatus status;
        try
        {
            status = await Toolbox.StatusAsync(cancellationToken);
        }
        catch (UserErrorException)
        {
            // Nobody who looks after the database is on this engine.
            return null;
        }

        if (status.Revision == before.Revision)
        {
            return null;
        }

        if (await stack.StaysUpAsync(cancellationToken))
        {
            return $"{before.Version} serves the newer schema, revision {status.Revision}, of which it knows nothing. It starts with it, but its "
                + $"own migrator refuses it: deploy a mended version, or take the schema back with 'rollback {before.Version}'";
        }

        if (SnapshotFor(before, status) is not { } snapshot)
        {
            return $"{before.Version} does not come up with the newer schema, revision {status.Revision}, and there is no snapshot of the one "
                + "before";
        }

        try
        {
            await Toolbox.RunAsync(cancellationToken, "restore", snapshot.Name);
            var aside = (await Toolbox.StatusAsync(cancellationToken)).Snapshots.FirstOrDefault(known => known.Name != snapshot.Name);
            return $"{before.Version} did not come up with the newer schema, so snapshot {snapshot.Name} was restored; what was written since is "
                + $"in snapshot {aside?.Name}. {(await stack.StaysUpAsync(cancellationToken) ? "It serves again" : "It does not come up with that either")}";
        }
        catch (UserErrorException failure)
        {
            return failure.Message;
        }
    }

    private static SchemaSnapshot? SnapshotFor(SwarmDeployed version, SchemaStatus status) =>
        version.Revision is { } revision ? status.Before(revision, version.When) : null;

    private async Task RemoveOldImagesAsync(CancellationToken cancellationToken)
    {
        var deployed = await History.ReadAsync(cancellationToken);
        var kept = deployed.Where(known => known.Failure is null).DistinctBy(known => known.Version).Take(KeptVersions)
            .SelectMany(known => known.Images.Values).ToHashSet(StringComparer.Ordinal);
        foreach (var image in deployed.SelectMany(known => known.Images.Values).Distinct().Where(image => !kept.Contains(image)))
        {
            // The engine refuses while there is a container of it, and most of them are gone already.
            await stack.Engine.RunAsync(TimeSpan.FromSeconds(60), cancellationToken, "image", "rm", image);
        }
    }

    private static string Version(IReadOnlyDictionary<string, string> images)
    {
        // The site's own has the shortest name of all that are built of it.
        var image = images.Values.MinBy(name => name.Split('@')[0].Length) ?? "";
        var parts = image.Split("@sha256:", 2);
        var tag = parts[0][(parts[0].LastIndexOf(':') + 1)..];
        return parts is [_, { Length: > 12 } digest] ? $"{tag}@{digest[..12]}" : tag;
    }
}

/// <summary>What going back to a version takes.</summary>
/// <param name="Target">The version.</param>
/// <param name="Revision">The schema as it is; <see langword="null"/> if it stays.</param>
/// <param name="Snapshot">What is restored first; <see langword="null"/> for nothing.</param>
public sealed record SwarmReturn(SwarmDeployed Target, string? Revision, SchemaSnapshot? Snapshot);
