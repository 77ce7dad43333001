using System.Globalization;
using System.Text.RegularExpressions;
using UvlhubAspire.AppHost.Images;
using UvlhubAspire.AppHost.Site;
using UvlhubAspire.AppHost.Uvlhub;
using UvlhubAspire.Hosting.Compose;

namespace UvlhubAspire.AppHost.Compose;

/// <summary>
/// Makes resources of services that the model does not know, adds to those that it knows what a fork declares beyond
/// them, and notes what it has no word for.
/// </summary>
/// <param name="builder">The application that is being built.</param>
/// <param name="uvlhub">The checkout and the settings.</param>
/// <param name="file">The compose file.</param>
/// <param name="findings">Takes what cannot be taken over.</param>
internal sealed partial class ComposeImport(
    IDistributedApplicationBuilder builder, UvlhubEnvironment uvlhub, ComposeFile file, ComposeFindings findings)
{
    private readonly ComposeDeclarations _declarations = new(builder, uvlhub, file, findings);

    private readonly HashSet<string> _profiles =
    [
        .. $"{uvlhub.Options.Profiles},{Environment.GetEnvironmentVariable("COMPOSE_PROFILES")}"
            .Split(',', StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries),
    ];

    /// <summary>Does so.</summary>
    public void Add()
    {
        var imported = new List<IResourceBuilder<ComposeServiceResource>>();
        foreach (var service in file.Services.Where(
            service => !KnownServices.Names.Contains(service.Name) && uvlhub.Services.Includes(service.Name)))
        {
            if (KnownByContainerName(service) is { } known)
            {
                known.Annotations.Add(new ComposeServiceNameAnnotation(service.Name));
            }
            else if (AddService(service) is { } resource)
            {
                imported.Add(resource);
            }
        }

        // Only now, because a service may wait for one that comes after it.
        foreach (var resource in imported)
        {
            foreach (var dependency in resource.Resource.Service.DependsOn)
            {
                Wait(resource, resource.Resource.Service, dependency);
            }
        }

        foreach (var service in file.Services)
        {
            if (Resource(service.Name) is ContainerResource container and not ComposeServiceResource)
            {
                Complete(builder.CreateResourceBuilder(container), service);
            }
        }
    }

    // What a fork adds to a service that the model knows: a variable, a port, a mount, a name.
    private void Complete(IResourceBuilder<ContainerResource> container, ComposeService service)
    {
        _declarations.AddMissingEnvironment(container, service);
        _declarations.AddNames(container, service);
        if (uvlhub.Profile.Code == CodeSource.Mounted)
        {
            // In production the code is in the image, where mounts of the checkout would hide it, and the model decides
            // what the host can reach.
            _declarations.AddPorts(container, service);
            _declarations.AddMounts(container, service);
        }

        container.WithContainerRuntimeArgs(context =>
        {
            List<string> present = [.. context.Args.OfType<string>()];
            foreach (var word in service.Options.Where(option => !option.IsIn(present)).SelectMany(option => option.Words))
            {
                context.Args.Add(word);
            }
        });
        if (service.Command is { } command && container.Resource is not FlaskResource
            && !container.Resource.HasAnnotationOfType<CommandLineArgsCallbackAnnotation>())
        {
            container.WithArgs([.. command]);
        }

        if (container.Resource is FlaskResource { IsSite: true } && uvlhub.Profile.Code == CodeSource.Mounted)
        {
            // Tests and migrations run in the toolbox and are to see what the site sees. What is missing has been said.
            var silent = new ComposeDeclarations(builder, uvlhub, file, new ComposeFindings(KnownServices.Names.Contains));
            foreach (var toolbox in builder.Resources.OfType<FlaskResource>()
                .Where(flask => file.Service(flask.Name) is null && flask != container.Resource).ToList())
            {
                silent.AddMissingEnvironment(builder.CreateResourceBuilder(toolbox), service);
                silent.AddMounts(builder.CreateResourceBuilder(toolbox), service);
            }
        }

        // How the model's own resources wait for each other is the model's affair.
        foreach (var dependency in service.DependsOn.Where(dependency => Resource(dependency.Service) is ComposeServiceResource))
        {
            Wait(container, service, dependency);
        }

        NoteUnsupported(service);
    }

    // A fork that calls its database 'mariadb' keeps the container's name, because scripts and documents use that.
    private ContainerResource? KnownByContainerName(ComposeService service) => service.ContainerName is not { } name ? null
        : builder.Resources.OfType<ContainerResource>()
            .FirstOrDefault(resource => resource.ContainerName() == uvlhub.Names.ServiceContainer(name));

    private IResourceBuilder<ComposeServiceResource>? AddService(ComposeService service)
    {
        var name = ResourceName(service.Name);
        if (builder.Resources.Any(resource => resource.Name.Equals(name, StringComparison.OrdinalIgnoreCase)))
        {
            Note(
                service.At, service, service.Name, $"the model has a resource {name} of its own; call the service differently to run it",
                isFatal: true);
        }

        if (findings.Any(finding => finding.IsFatal && finding.Service == service.Name))
        {
            return null;
        }

        var resource = new ComposeServiceResource(name, service);
        var container = builder.AddResource(resource);
        if (!TrySetImage(container))
        {
            builder.Resources.Remove(resource);
            return null;
        }

        container
            .WithContainerName(ContainerName(service))
            // As under compose, where nobody adds certificates of this machine to a container.
            .WithCertificateTrustScope(CertificateTrustScope.None)
            .WithContainerRuntimeArgs([.. service.Options.SelectMany(option => option.Words)])
            .WithIconName("Box");
        SetCommand(container);
        _declarations.AddEnvironment(container, service);
        _declarations.AddPorts(container, service);
        _declarations.AddMounts(container, service);
        _declarations.AddNames(container, service);
        AddHealthCheck(container);
        SetStart(container);
        NoteUnsupported(service);
        return container;
    }

    private void NoteUnsupported(ComposeService service)
    {
        foreach (var key in service.Unsupported)
        {
            Note(key.At, service, key.Key, key.Reason);
        }
    }

    private bool TrySetImage(IResourceBuilder<ComposeServiceResource> container)
    {
        var service = container.Resource.Service;
        if (service.Build is { } build)
        {
            return TrySetBuild(container, build);
        }

        if (!ImageName().IsMatch(service.Image!))
        {
            Note(
                service.LineOf("image"), service, "image", $"'{service.Image}' is no name of an image; put the right one in its place",
                isFatal: true);
            return false;
        }

        container.WithImage(service.Image!).WithAnnotation(new ContainerImage(StandIn: null));
        ImagePullPolicy? policy = service.PullPolicy switch
        {
            null => null,
            "always" => ImagePullPolicy.Always,
            "missing" or "if_not_present" => ImagePullPolicy.Missing,
            "never" => ImagePullPolicy.Never,
            _ => null,
        };
        if (policy is { } known)
        {
            container.WithImagePullPolicy(known);
        }
        else if (service.PullPolicy is { } other)
        {
            Note(
                service.LineOf("pull_policy"), service, "pull_policy",
                $"'{other}' is not taken over; the image is pulled when it is missing");
        }

        return true;
    }

    private bool TrySetBuild(IResourceBuilder<ComposeServiceResource> container, ComposeBuild build)
    {
        var (service, checkout) = (container.Resource.Service, uvlhub.Checkout);
        var dockerfile = build.DockerfilePath;
        var isSites = dockerfile == checkout.DevelopmentDockerfile?.Path && build.Context == checkout.Path;
        if (isSites && build is { Target: null, Arguments: [] })
        {
            container.WithImage(CheckoutImage.Name(checkout), "dev").WithAnnotation(CheckoutImage.Development(checkout, uvlhub.Options, uvlhub.PackageIndex));
            return true;
        }

        if (!File.Exists(dockerfile))
        {
            Note(build.At, service, "build", $"there is no file {dockerfile}", isFatal: true);
            return false;
        }

        var recipe = new ImageRecipe(
            $"{CheckoutImage.Name(checkout, service.Name)}:dev", dockerfile, build.Context!, NeedsDebianBase: false, IsContentTagged: false)
        {
            Target = build.Target,
            Arguments = build.Arguments
                .Select(argument => (argument.Name, Value: argument.Value ?? ServiceVariables.PassedOn(uvlhub, argument.Name)))
                .Where(argument => argument.Value is not null)
                .ToDictionary(argument => argument.Name, argument => argument.Value!),
        };
        var bases = Dockerfile.Read(dockerfile).BaseImages;
        container
            .WithImage(CheckoutImage.Name(checkout, service.Name), "dev")
            // Where all stages are upon one base, each has the site's Python, and its stand-in serves.
            .WithAnnotation(isSites && bases.Distinct().Count() == 1
                ? CheckoutImage.OfDevelopment(recipe, checkout, uvlhub.Options, uvlhub.PackageIndex)
                : new ContainerImage(StandIn: null, recipe, bases));
        return true;
    }

    private void SetCommand(IResourceBuilder<ComposeServiceResource> container)
    {
        var service = container.Resource.Service;
        List<string> words = [.. service.Entrypoint ?? [], .. service.Command ?? []];
        ScriptLines.Check(uvlhub.Checkout, words);
        if (service.Entrypoint is not null && words.Count == 0)
        {
            Note(
                service.LineOf("entrypoint"), service, "entrypoint",
                "an empty entrypoint needs a command; the image's own entrypoint runs");
        }
        else if (service.Entrypoint is not null)
        {
            // An empty entrypoint makes the command's first word the program.
            container.WithEntrypoint(words[0]);
            words.RemoveAt(0);
        }

        if (words.Count > 0)
        {
            container.WithArgs([.. words]);
        }
    }

    private void AddHealthCheck(IResourceBuilder<ComposeServiceResource> container)
    {
        var service = container.Resource.Service;
        if (service.HealthCheck is { } check)
        {
            container.WithContainerRuntimeArgs([.. HealthOptions(check)]);
        }

        // Without a check of its own the image may have one, which matters only to those that wait for it.
        var isAwaited = file.Services.SelectMany(other => other.DependsOn)
            .Any(dependency => dependency.Service == service.Name && dependency.Condition == ComposeCondition.Healthy);
        if (service.HealthCheck is { IsDisabled: false } || (service.HealthCheck is null && isAwaited))
        {
            List<string>? command = service.HealthCheck?.Test is ["CMD", ..] words ? [.. words.Skip(1)] : null;
            container.WithHealthCheck(_ => new EngineHealthCheck(uvlhub.Engine, ContainerName(service), command));
        }
    }

    private static IEnumerable<string> HealthOptions(ComposeHealthCheck check)
    {
        if (check.IsDisabled)
        {
            yield return "--no-healthcheck";
            yield break;
        }

        (string Option, string? Value)[] options =
        [
            // The engine's command line knows the shell's form only; see EngineHealthCheck for images that have none.
            ("--health-cmd", check.Test switch
            {
                ["CMD-SHELL", var line] => line,
                { } words => ShellWords.Join(words.Skip(1)),
                null => null,
            }),
            ("--health-interval", check.Interval),
            ("--health-timeout", check.Timeout),
            ("--health-retries", check.Retries?.ToString(CultureInfo.InvariantCulture)),
            ("--health-start-period", check.StartPeriod),
            ("--health-start-interval", check.StartInterval),
        ];
        foreach (var (option, value) in options)
        {
            if (value is not null)
            {
                yield return option;
                yield return value;
            }
        }
    }

    private void SetStart(IResourceBuilder<ComposeServiceResource> container)
    {
        var service = container.Resource.Service;
        if (!IsSelected(service) || service.Replicas == 0)
        {
            container.WithExplicitStart();
        }

        switch (service.Restart?.Split(':'))
        {
            case ["always" or "unless-stopped"]:
                container.WithAutomaticRestart();
                break;
            case ["on-failure", .. var limit]:
                container.WithAutomaticRestart(new RestartPolicy
                {
                    OnlyAfterFailure = true,
                    Limit = limit is [var times] ? int.Parse(times, CultureInfo.InvariantCulture) : new RestartPolicy().Limit,
                });
                break;
        }

        if (service.Replicas > 1)
        {
            Note(service.At, service, "replicas", $"one container runs, not {service.Replicas}");
        }
    }

    private void Wait(IResourceBuilder<ContainerResource> container, ComposeService service, ComposeDependency dependency)
    {
        if (Resource(dependency.Service) is not { } other)
        {
            if (dependency.IsRequired && file.Service(dependency.Service) is not null)
            {
                Note(dependency.At, service, "depends_on", $"{dependency.Service} is not run, so nothing waits for it");
            }

            return;
        }

        if (other.HasAnnotationOfType<ExplicitStartupAnnotation>() && !container.Resource.HasAnnotationOfType<ExplicitStartupAnnotation>())
        {
            Note(
                dependency.At, service, "depends_on",
                $"{dependency.Service} starts by hand only, so nothing waits for it; choose its profile with Uvlhub:Profiles");
            return;
        }

        var awaited = builder.CreateResourceBuilder(other);
        switch (dependency.Condition)
        {
            case ComposeCondition.Completed:
                container.WaitForCompletion(awaited);
                break;
            // 'Started' is not enough of a database: whoever comes too early dies, and each fork wrote its own wait for it.
            case ComposeCondition.Healthy:
            case ComposeCondition.Started when other is MariaDBServerResource:
                container.WaitFor(awaited);
                break;
            default:
                container.WaitForStart(awaited);
                break;
        }
    }

    private IResource? Resource(string service) => builder.Resources.FirstOrDefault(resource =>
        resource is ComposeServiceResource imported ? imported.Service.Name == service
        : resource.Name == service || resource.Annotations.OfType<ComposeServiceNameAnnotation>().Any(known => known.Service == service));

    private bool IsSelected(ComposeService service) =>
        service.Profiles.Count == 0 || _profiles.Contains("*") || service.Profiles.Any(_profiles.Contains);

    private string ContainerName(ComposeService service) =>
        uvlhub.Names.ServiceContainer(service.ContainerName ?? $"{file.Project}-{service.Name}-1");

    // Aspire's names have letters, digits and single dashes, begin with a letter, and are at most 64 long.
    private static string ResourceName(string service)
    {
        var words = Names.Clean(service, '-').Split('-', StringSplitOptions.RemoveEmptyEntries);
        var name = string.Join('-', words);
        name = name.Length > 0 && char.IsAsciiLetter(name[0]) ? name : $"service-{name}";
        return name.Length <= 64 ? name : name[..64].TrimEnd('-');
    }

    private void Note(SourceLine at, ComposeService service, string subject, string problem, bool isFatal = false) =>
        _declarations.Note(at, service, subject, problem, isFatal);

    // [host[:port]/]name[:tag][@digest], as the engine takes it.
    [GeneratedRegex(@"^(?:[A-Za-z0-9.-]+(?::\d+)?/)?[a-z0-9]+(?:[._/-]+[a-z0-9]+)*(?::\w[\w.-]{0,127})?(?:@sha256:[0-9a-f]{64})?$")]
    private static partial Regex ImageName();
}
