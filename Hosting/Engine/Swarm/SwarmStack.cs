using System.Diagnostics;
using System.Globalization;

namespace UvlhubAspire.Engine;

/// <summary>A stack in the swarm of an engine, which is one of its managers.</summary>
/// <param name="engine">The engine.</param>
/// <param name="name">The stack's name.</param>
public sealed class SwarmStack(ContainerEngine engine, string name)
{
    /// <summary>The label of services whose image holds the site, so that a new version is another image.</summary>
    public const string SiteLabel = "uvlhub-aspire.site";

    /// <summary>What stands in a failure's message between its cause and the log.</summary>
    internal const string LastLines = " Its last lines:";

    private const string Complete = "Complete";
    private const string Format = "--format";
    private const int MostFailures = 4;

    private static readonly TimeSpan s_answer = TimeSpan.FromSeconds(60);
    private static readonly TimeSpan s_converged = TimeSpan.FromMinutes(20);
    private static readonly TimeSpan s_back = TimeSpan.FromMinutes(3);

    // Six checks in a row that fail, each after five seconds, and the last of them may take ten.
    private static readonly TimeSpan s_unhealthy = TimeSpan.FromSeconds(45);
    private static readonly TimeSpan s_pause = TimeSpan.FromSeconds(1);

    // A job whose task has failed is tried again after five; what has not begun by then does not.
    private static readonly TimeSpan s_quiet = TimeSpan.FromSeconds(15);

    private static readonly string[] s_ended = [Complete, "Failed", "Rejected", "Shutdown", "Orphaned", "Remove"];

    /// <summary>The engine.</summary>
    public ContainerEngine Engine { get; } = engine;

    /// <summary>The stack's name.</summary>
    public string Name { get; } = name;

    /// <summary>The full name of one of its services.</summary>
    public string FullName(string service) => $"{Name}_{service}";

    /// <summary>Its services; none if there is no such stack.</summary>
    /// <exception cref="UserErrorException">The engine does not answer.</exception>
    public async Task<IReadOnlyList<SwarmService>> ServicesAsync(CancellationToken cancellationToken)
    {
        var listed = (await AskAsync(
            cancellationToken, "service", "ls", "--filter", $"label=com.docker.stack.namespace={Name}", Format, "{{.Name}}\t{{.Replicas}}\t{{.Mode}}"))
            .Split('\n', StringSplitOptions.RemoveEmptyEntries).Select(line => line.Split('\t')).ToDictionary(words => words[0]);
        if (listed.Count == 0)
        {
            return [];
        }

        var inspected = await AskAsync(cancellationToken, [
            "service", "inspect", Format,
            "{{.Spec.Name}}\t{{.Spec.TaskTemplate.ContainerSpec.Image}}\t{{if .UpdateStatus}}{{.UpdateStatus.State}}\t{{.UpdateStatus.StartedAt}}{{else}}\t{{end}}\t"
            + $"{{{{index .Spec.Labels \"{SiteLabel}\"}}}}\t.",
            .. listed.Keys,
        ]);
        return
        [
            .. from line in inspected.Split('\n')
               let words = line.Split('\t')
               let replicas = listed[words[0]][1].Split(' ', '/')
               select new SwarmService(words[0][(Name.Length + 1)..], words[1])
               {
                   IsJob = listed[words[0]][2].Contains("job", StringComparison.Ordinal),
                   IsSite = words[4].Length > 0,
                   // A swarm may leave one too many where what was to be replaced ended by itself just then.
                   IsAsMany = int.Parse(replicas[0], CultureInfo.InvariantCulture) >= int.Parse(replicas[1], CultureInfo.InvariantCulture),
                   Update = words[2],
                   UpdateBegan = words[3],
               },
        ];
    }

    /// <summary>Has the migrator of a version run, and waits for its end; nothing of the site is updated.</summary>
    /// <param name="migrator">The job's name.</param>
    /// <param name="begin">Has it begin.</param>
    /// <param name="limit">How long it may take.</param>
    /// <param name="cancellationToken">Ends the waiting.</param>
    /// <returns>What it said.</returns>
    /// <exception cref="UserErrorException">It failed; the message has its last lines.</exception>
    public async Task<string> MigrateAsync(string migrator, Func<Task> begin, TimeSpan limit, CancellationToken cancellationToken)
    {
        var before = (await TasksAsync(migrator, cancellationToken)).Select(task => task.Id).ToHashSet(StringComparer.Ordinal);
        await begin();
        var (waited, quiet) = (Stopwatch.StartNew(), Stopwatch.StartNew());
        while (waited.Elapsed < limit)
        {
            var tasks = (await TasksAsync(migrator, cancellationToken)).Where(task => !before.Contains(task.Id)).ToList();
            if (tasks.FirstOrDefault(task => task.State == Complete) is { } done)
            {
                return await LogAsync(done.Id, cancellationToken);
            }

            if (tasks.Any(task => !s_ended.Contains(task.State)))
            {
                quiet.Restart();
            }

            var failures = tasks.Where(task => task.Error.Length > 0).ToList();
            if (failures.Count >= MostFailures || (quiet.Elapsed > s_quiet && failures.Count > 0))
            {
                throw new UserErrorException(
                    $"the migrator failed ({failures[0].Error}), and nothing else was updated: the version before serves."
                    + $"{LastLines}{Environment.NewLine}{await LogAsync(FullName(migrator), cancellationToken)}");
            }

            if (quiet.Elapsed > s_quiet && before.Count > 0)
            {
                // The same job is not run again.
                return "nothing to migrate";
            }

            await Task.Delay(s_pause, cancellationToken);
        }

        throw new UserErrorException($"the migrator did not end within {limit}; 'docker service logs {FullName(migrator)}'");
    }

    /// <summary>Updates services and waits until everything runs.</summary>
    /// <param name="begin">Has the update begin.</param>
    /// <param name="cancellationToken">Ends the waiting.</param>
    /// <returns>What changed, a line each.</returns>
    /// <exception cref="UserErrorException">Something does not come up; every service that was there before is what it was, and the message has
    /// the last lines of what did not.</exception>
    public async Task<IReadOnlyList<string>> UpdateAsync(Func<Task> begin, CancellationToken cancellationToken)
    {
        var before = (await ServicesAsync(cancellationToken)).ToDictionary(service => service.Name);
        await begin();
        var (waited, looksThatConverged) = (Stopwatch.StartNew(), 0);
        while (waited.Elapsed < s_converged)
        {
            await Task.Delay(s_pause, cancellationToken);
            var services = await ServicesAsync(cancellationToken);
            var updated = services.Where(service => before.GetValueOrDefault(service.Name)?.UpdateBegan != service.UpdateBegan).ToList();
            if (updated.Find(service => service.Update is "rollback_completed" or "rollback_paused" or "paused") is { } lost)
            {
                var failure = await FailedAsync(lost.Name, $"{lost.Name} did not come up and is what it was before", cancellationToken);
                await TakeBackAsync(updated.Where(service => service is { IsJob: false, Update: "completed" or "updating" }), cancellationToken);
                throw failure;
            }

            // Once more, because an update that was just asked for may not have begun.
            looksThatConverged = services.All(service => service.IsJob || service.IsAsMany)
                && updated.All(service => service.IsJob || service.Update is "" or "completed") ? looksThatConverged + 1 : 0;
            if (looksThatConverged > 2)
            {
                return
                [
                    .. from service in services
                       let old = before.GetValueOrDefault(service.Name)?.Image
                       where old != service.Image
                       select $"{service.Name}: {(old is null ? "new" : Short(old))} → {Short(service.Image)}",
                ];
            }

            // A service that is new has nothing to go back to, and the engine would try for ever: also beside the next version, of which it
            // then runs more than it should.
            foreach (var service in services.Where(service => !before.ContainsKey(service.Name)))
            {
                if ((await TasksAsync(service.Name, cancellationToken)).Count(task => task.Error.Length > 0) >= MostFailures)
                {
                    var failure = await FailedAsync(service.Name, $"{service.Name} does not come up", cancellationToken);
                    await AskAsync(cancellationToken, "service", "rm", FullName(service.Name));
                    throw failure;
                }
            }
        }

        var late = (await ServicesAsync(cancellationToken)).Where(service => service is { IsJob: false, IsAsMany: false } or { Update: "updating" });
        throw new UserErrorException(
            $"not everything runs after {s_converged.TotalMinutes:0} minutes: {string.Join(", ", late.Select(service => service.Name))}");
    }

    /// <summary>Has services run other images, new containers first.</summary>
    /// <param name="images">The services, and what they run.</param>
    /// <param name="cancellationToken">Ends the asking; what was asked for goes on.</param>
    public async Task RunImagesAsync(IEnumerable<KeyValuePair<string, string>> images, CancellationToken cancellationToken)
    {
        foreach (var (service, image) in images)
        {
            await AskAsync(
                cancellationToken, "service", "update", "--detach", "--with-registry-auth", "--image", image, FullName(service));
        }
    }

    /// <summary>Waits until everything runs, and goes on running for longer than it takes to find that it is not healthy.</summary>
    /// <returns>Whether it does, after three minutes at most.</returns>
    public async Task<bool> StaysUpAsync(CancellationToken cancellationToken)
    {
        var (waited, up) = (Stopwatch.StartNew(), Stopwatch.StartNew());
        while (up.Elapsed < s_unhealthy)
        {
            if (waited.Elapsed > s_back)
            {
                return false;
            }

            await Task.Delay(s_pause, cancellationToken);
            if (!(await ServicesAsync(cancellationToken)).All(service => service.IsJob || service.IsAsMany))
            {
                up.Restart();
            }
        }

        return true;
    }

    /// <summary>Asks the engine.</summary>
    /// <exception cref="UserErrorException">It refuses, or does not answer.</exception>
    public async Task<string> AskAsync(CancellationToken cancellationToken, params string[] words)
    {
        var answer = await Engine.RunAsync(s_answer, cancellationToken, words);
        return answer.Succeeded
            ? answer.Output
            : throw new UserErrorException($"{Engine.Executable} {string.Join(' ', words.Take(2))}: {answer.Error}");
    }

    // Those that came up too: a worker is no other version than the site.
    private async Task TakeBackAsync(IEnumerable<SwarmService> services, CancellationToken cancellationToken)
    {
        var taken = services.Select(service => service.Name).ToHashSet(StringComparer.Ordinal);
        foreach (var service in taken)
        {
            await AskAsync(cancellationToken, "service", "update", "--detach", "--rollback", FullName(service));
        }

        var waited = Stopwatch.StartNew();
        while (waited.Elapsed < s_back && (await ServicesAsync(cancellationToken))
            .Any(service => taken.Contains(service.Name) && service.Update is not ("rollback_completed" or "rollback_paused")))
        {
            await Task.Delay(s_pause, cancellationToken);
        }
    }

    private async Task<IReadOnlyList<SwarmTask>> TasksAsync(string service, CancellationToken cancellationToken)
    {
        var listed = await Engine.RunAsync(
            s_answer, cancellationToken, "service", "ps", "--no-trunc", Format, "{{.ID}}\t{{.CurrentState}}\t{{.Error}}\t.", FullName(service));
        return listed.Succeeded
            ? [.. listed.Output.Split('\n', StringSplitOptions.RemoveEmptyEntries).Select(line => line.Split('\t'))
                .Select(words => new SwarmTask(words[0], words[1].Split(' ')[0], words[2]))]
            : [];
    }

    private async Task<UserErrorException> FailedAsync(string service, string what, CancellationToken cancellationToken)
    {
        var cause = (await TasksAsync(service, cancellationToken)).FirstOrDefault(task => task.Error.Length > 0)?.Error;
        return new UserErrorException(
            $"{what}{(cause is null ? "" : $" ({cause})")}.{LastLines}{Environment.NewLine}{await LogAsync(FullName(service), cancellationToken)}");
    }

    private async Task<string> LogAsync(string serviceOrTask, CancellationToken cancellationToken)
    {
        var log = await Engine.RunAsync(s_answer, cancellationToken, "service", "logs", "--raw", "--tail", "30", serviceOrTask);
        return string.Join('\n', (string[])[log.Output, log.Error]).Trim();
    }

    // What a person tells two images apart by.
    private static string Short(string image) =>
        image.Split("@sha256:", 2) is [var tagged, { Length: >= 12 } digest] ? $"{tagged}@{digest[..12]}" : image;

    private sealed record SwarmTask(string Id, string State, string Error);
}

/// <summary>A service of a stack.</summary>
/// <param name="Name">Its name within the stack.</param>
/// <param name="Image">What it runs, with the digest where a registry told one.</param>
public sealed record SwarmService(string Name, string Image)
{
    /// <summary>Whether it runs once and ends.</summary>
    public bool IsJob { get; init; }

    /// <summary>Whether its image holds the site.</summary>
    public bool IsSite { get; init; }

    /// <summary>Whether at least as many containers run as should.</summary>
    public bool IsAsMany { get; init; }

    /// <summary>How far its last update is, in the engine's word; empty if it was never updated.</summary>
    public string Update { get; init; } = "";

    /// <summary>When that began, as the engine writes it.</summary>
    public string UpdateBegan { get; init; } = "";
}
