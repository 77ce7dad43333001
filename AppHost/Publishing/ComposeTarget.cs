using UvlhubAspire.AppHost.Uvlhub;

namespace UvlhubAspire.AppHost.Publishing;

/// <summary>A docker compose file and the template of its <c>.env</c>, for one server.</summary>
internal sealed class ComposeTarget : IPublishTarget
{
    public string Name => "compose";

    public string Description => "Writes a docker compose file, and the template of its .env, for one server.";

    public IEnumerable<OutputFile> Write(PublishedModel whole)
    {
        // It goes by what a swarm can do.
        var model = whole with { Services = [.. whole.Services.Where(service => service.Kind != PublishedKind.Updater)] };
        var file = new YamlMap()
            .With("name", model.Name)
            .With("services", YamlMap.Of(model.Services, service => service.Name, service => Service(model, service)))
            .With("volumes", YamlMap.Of(model.Volumes, volume => volume, _ => new YamlMap()))
            .With("networks", new YamlMap().With(ComposeSyntax.Network, new YamlMap().With("driver", "bridge")));

        yield return OutputFile.Text("docker-compose.yml", $"""
            # Written by UvlhubAspire from the model in AppHost.cs; change that and publish again.
            #   cp .env.template .env && chmod 600 .env     # then fill it in
            #   docker compose up --detach --wait
            {Yaml.Write(file)}
            """);
        yield return OutputFile.Text(".env.template", EnvironmentFile.Write(
            $"Settings of {model.Name} on this server. Copy this file to .env, fill in what is empty, and let nobody else read it.\nPut a "
            + "value with $, # or spaces into single quotes.",
            model.Variables,
            Settings(model)));
        foreach (var mounted in model.Services.SelectMany(service => service.Files))
        {
            yield return OutputFile.WithDynamicNames(mounted);
        }
    }

    public IEnumerable<string> Lacks(PublishedModel model) =>
    [
        .. from service in model.Services
           from option in service.Options
           where option.Shape is null
           select $"{service.Name}: compose has no word for {option}",
        .. model.Services.Where(service => service.Kind == PublishedKind.Updater)
            .Select(service => $"{service.Name}: only a swarm is updated by its registry's images; with compose, 'docker compose pull' and 'up'"),
    ];

    private static IEnumerable<(string Name, string Value, string Description)> Settings(PublishedModel model) =>
    [
        (ComposeSyntax.VersionVariable, model.Version, "the version of the site"),
        ("WEB_REPLICAS", "1", "how many containers serve the site; each has several workers"),
        .. ComposeSyntax.PortSettings(model, "this server"),
    ];

    private static YamlMap Service(PublishedModel model, PublishedService service) => ComposeSyntax
        .Service(model, service, startPeriod: "60s")
        .WithOptions(service.Options.Where(option => option.Shape is not null))
        .With("restart", service.Kind == PublishedKind.Job ? "no" : "always")
        .With(
            "environment",
            YamlMap.Of(service.Environment, variable => variable.Key, variable => ComposeSyntax.Value(variable.Value, ".env")))
        .With("volumes", Mounts(service))
        .With("ports", ComposeSyntax.Ports(service, (port, host) => $"{host}:{port}"))
        .With(
            "depends_on",
            YamlMap.Of(
                service.DependsOn, dependency => dependency.Service,
                dependency => new YamlMap().With("condition", dependency.Condition switch
                {
                    PublishedCondition.Completed => "service_completed_successfully",
                    // Where nobody asks for its health, started is all that can be waited for.
                    PublishedCondition.Healthy when model.Services.Single(other => other.Name == dependency.Service).Probe is not null =>
                        "service_healthy",
                    _ => "service_started",
                })))
        .With("deploy", service.Kind == PublishedKind.Replicated ? new YamlMap().With("replicas", "${WEB_REPLICAS:-1}") : null);

    private static List<object> Mounts(PublishedService service) =>
    [
        .. service.Volumes.Select(volume => volume.ToString()),
        .. service.Files.Select(file => $"./{file.Path}:{file.Target}:ro"),
    ];
}
