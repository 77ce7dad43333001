using System.Diagnostics;
using System.Globalization;
using Aspire.Hosting.Eventing;
using Aspire.Hosting.Lifecycle;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.Logging;
using UvlhubAspire.AppHost.Uvlhub;
using UvlhubAspire.Hosting.Compose;

namespace UvlhubAspire.AppHost.Start;

/// <summary>
/// Looks, before anything starts, for what would otherwise fail silently in the middle: no engine, no builder, a taken
/// port, a container name in use. All that is wrong is said at once.
/// </summary>
internal sealed partial class PreflightChecks(
    ContainerEngine engine, UvlhubEnvironment uvlhub, DistributedApplicationOptions application, IConfiguration configuration,
    ILoggerFactory loggers)
    : IDistributedApplicationEventingSubscriber
{
    private static readonly TimeSpan s_limit = TimeSpan.FromSeconds(20);
    private static readonly TimeSpan s_clearingUp = TimeSpan.FromSeconds(10);

    private readonly ILogger _logger = loggers.CreateLogger("UvlhubAspire.Preflight");

    public Task SubscribeAsync(
        IDistributedApplicationEventing eventing, DistributedApplicationExecutionContext context, CancellationToken cancellationToken)
    {
        if (context.IsRunMode)
        {
            eventing.Subscribe<BeforeStartEvent>((start, ct) => CheckAsync(start.Model, ct));
        }

        return Task.CompletedTask;
    }

    private async Task CheckAsync(DistributedApplicationModel model, CancellationToken cancellationToken)
    {
        var names = ContainerNameProblemsAsync(model, cancellationToken);
        if (await EngineProblemAsync(cancellationToken) is { } problem)
        {
            throw new UserErrorException(problem);
        }

        // Names first: a container that an ended AppHost left behind may also hold the port.
        List<string> problems = [.. await names, .. await PlatformProblemsAsync(model, cancellationToken)];
        problems.AddRange(PortProblems(model));
        if (problems.Count > 0)
        {
            throw new UserErrorException(string.Join(Environment.NewLine, problems));
        }
    }

    private async Task<string?> EngineProblemAsync(CancellationToken cancellationToken)
    {
        var version = engine.RunAsync(s_limit, cancellationToken, "version", "--format", "{{.Server.Version}}");
        var canBuild = CanBuildAsync(cancellationToken);
        if (!(await version).Succeeded)
        {
            return $"no container engine answers '{engine.Executable} version' ({(await version).Error.Split('\n')[^1]}). './run' sets "
                + "one up on Debian; elsewhere install and start Docker, then try again";
        }

        return await canBuild ? null
            : "the engine has no buildx plugin, without which no image can be built. './run' installs it on Debian (docker-buildx); "
                + "elsewhere install docker-buildx-plugin";
    }

    private async Task<bool> CanBuildAsync(CancellationToken cancellationToken) =>
        engine.Executable != "docker"
        || (await engine.RunAsync(s_limit, cancellationToken, "buildx", "version")).Succeeded;

    private async Task<IEnumerable<string>> PlatformProblemsAsync(
        DistributedApplicationModel model, CancellationToken cancellationToken)
    {
        List<(ComposeService Service, ComposeEngineOption Platform)> declared =
        [
            .. from service in uvlhub.Compose?.Services ?? []
               from option in service.Options
               where option.Key == "platform" && model.Resources.Any(resource => resource.Name == service.Name)
               select (service, option),
        ];
        if (declared.Count == 0)
        {
            return [];
        }

        // Docker Desktop has a program for each processor; elsewhere the kernel knows those that are installed.
        var engineIs = await engine.RunAsync(s_limit, cancellationToken, "info", "--format", "{{.Architecture}} {{.OperatingSystem}}");
        return !engineIs.Succeeded || engineIs.Output.Contains("Docker Desktop", StringComparison.Ordinal) ? []
            : from one in declared
              let processor = Processor(one.Platform.Value.Split('/').ElementAtOrDefault(1))
              where processor is not null && processor != Processor(engineIs.Output.Split(' ')[0])
                  && !File.Exists($"/proc/sys/fs/binfmt_misc/qemu-{processor}")
              select $"{one.Platform.At}: {one.Service.Name} wants the platform {one.Platform.Value}, and the engine runs "
                  + $"{engineIs.Output.Split(' ')[0]} only. Delete the line, or install an emulator (on Debian: apt-get install qemu-user-static "
                  + "binfmt-support)";
    }

    // The kernel's name of what images call otherwise; null for what is neither.
    private static string? Processor(string? name) => name switch
    {
        "amd64" or "x86_64" => "x86_64",
        "arm64" or "aarch64" => "aarch64",
        "arm" or "armv7l" => "arm",
        _ => name,
    };

    private async Task<IEnumerable<string>> ContainerNameProblemsAsync(
        DistributedApplicationModel model, CancellationToken cancellationToken)
    {
        var resources = model.Resources.Where(resource => resource.ContainerName() is not null)
            .ToDictionary(resource => resource.ContainerName()!, resource => resource.Name);
        // An AppHost that was killed, as an editor's stop button does, leaves its orchestrator to clear up after it.
        var waited = Stopwatch.StartNew();
        var owners = await ContainerOwner.FindAsync(engine, resources.Keys, cancellationToken);
        while (owners.Any(owner => owner.IsLiveOrchestrator) && waited.Elapsed < s_clearingUp)
        {
            await Task.Delay(TimeSpan.FromSeconds(0.5), cancellationToken);
            owners = await ContainerOwner.FindAsync(engine, resources.Keys, cancellationToken);
        }

        var problems = await Task.WhenAll(
            owners.Select(owner => ContainerNameProblemAsync(resources[owner.Name], owner, cancellationToken)));
        return problems.OfType<string>();
    }

    private async Task<string?> ContainerNameProblemAsync(string resource, ContainerOwner owner, CancellationToken cancellationToken)
    {
        if (owner is { Orchestrator: { } process, IsLeftBehind: true })
        {
            LogLeftBehind(owner.Name, process);
            var removed = await engine.RunAsync(s_limit, cancellationToken, "rm", "--force", owner.Name);
            return removed.Succeeded ? null : $"the container {owner.Name} of an ended run cannot be removed: {removed.Error}";
        }

        return $"the name of {resource}'s container, {owner.Name}, is in use by a container that is {owner.State}; {owner.Remedy}, or "
            + "run beside it with --Uvlhub:Instance=NAME";
    }

    private IEnumerable<string> PortProblems(DistributedApplicationModel model)
    {
        // With random ports (tests, 'aspire run --isolated') the numbers in the model are not the ones that are used.
        if (configuration.GetValue("DcpPublisher:RandomizePorts", false))
        {
            return [];
        }

        var chosen = from resource in model.Resources.OfType<IResourceWithEndpoints>()
                     from annotation in resource.Annotations.OfType<HostPortAnnotation>()
                     select (resource.Name, annotation.Port);
        List<(string Name, HostPort Port)> users = [.. DashboardPort() is { } dashboard ? chosen.Append(dashboard) : chosen];
        foreach (var (name, port) in users.Where(user => user.Port.GivesWay is not null))
        {
            LogGivesWay(name, port.GivesWay!, port.Setting);
        }

        var shared = from user in users
                     where user.Port.Number is not null
                     group user by user.Port.Number!.Value into one
                     where one.Count() > 1
                     let names = string.Join(" and by ", one.Select(user => $"{user.Name} ({user.Port.Setting})"))
                     select $"port {one.Key} is asked for by {names}. Choose another for one of them: --{one.Last().Port.Setting}=PORT";
        return shared.Concat(TakenPorts(users));
    }

    private static IEnumerable<string> TakenPorts(IEnumerable<(string Name, HostPort Port)> users) =>
        from user in users
        where user.Port.Number is { } port && !FreePorts.IsFree(port)
        let taken = user.Port.Number!.Value
        let next = (taken + 1).ToString(CultureInfo.InvariantCulture)
        select $"port {taken}, for {user.Name}, is taken by {PortOwner.Find(taken) ?? "another program"}. Stop that, or choose "
            + $"another port: --{user.Port.Setting}={next}";

    // Aspire listens for the dashboard's resource service before this check, for the page after it.
    private (string Name, HostPort Port)? DashboardPort() =>
        application.DisableDashboard || DashboardAddresses.Port(configuration) is not { } port ? null
            : ("the dashboard", uvlhub.Ports.Dashboard with { Number = port });

    [LoggerMessage(EventId = 301, Level = LogLevel.Warning, Message = "{Resource} has a port of the host that the system chooses: {Reason}. "
        + "To choose it yourself: --{Setting}=PORT")]
    private partial void LogGivesWay(string resource, string reason, string setting);

    [LoggerMessage(EventId = 300, Level = LogLevel.Warning, Message = "Removing the container {Container}: the run that made it "
        + "(orchestrator process {Process}) has ended without doing so. Its volumes stay")]
    private partial void LogLeftBehind(string container, int process);
}
