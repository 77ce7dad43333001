using System.Globalization;
using UvlhubAspire.AppHost.Uvlhub;

namespace UvlhubAspire.AppHost.Publishing;

/// <summary>A docker compose file and the template of its <c>.env</c>, for one server.</summary>
internal sealed class ComposeTarget : IPublishTarget
{
    private const string Network = "uvlhub_network";

    public string Name => "compose";

    public string Description => "Writes a docker compose file, and the template of its .env, for one server.";

    public IEnumerable<OutputFile> Write(PublishedModel model)
    {
        var file = new YamlMap()
            .With("name", model.Name)
            .With("services", YamlMap.Of(model.Services, service => service.Name, service => Service(model, service)))
            .With("volumes", YamlMap.Of(model.Volumes, volume => volume, _ => new YamlMap()))
            .With("networks", new YamlMap().With(Network, new YamlMap().With("driver", "bridge")));

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

    private static IEnumerable<(string Name, string Value, string Description)> Settings(PublishedModel model) =>
    [
        ("VERSION", model.Version, "the version of the site"),
        ("WEB_REPLICAS", "1", "how many containers serve the site; each has several workers"),
        ("HTTP_PORT", "80", "the port of this server on which the site answers"),
        .. model.HasTls
            ? [("HTTPS_PORT", "443", "the port of this server on which it answers with TLS")]
            : Array.Empty<(string, string, string)>(),
    ];

    private static YamlMap Service(PublishedModel model, PublishedService service) => new YamlMap()
        .With("image", Image(model, service))
        .With("entrypoint", service.Entrypoint is { } entrypoint ? new List<string> { entrypoint } : null)
        .With("command", service.Command.Select(Escape).ToList())
        .With("init", true)
        .With("restart", service.Kind == PublishedKind.Job ? "no" : "always")
        .With(
            "environment", YamlMap.Of(service.Environment, variable => variable.Key, variable => variable.Value.Render(Escape, Reference)))
        .With("volumes", Mounts(service))
        .With(
            "ports",
            service.Kind == PublishedKind.Gateway ? service.Ports.Select(port => $"{HostPort(port)}:{Number(port)}").ToList() : null)
        .With("networks", new List<string> { Network })
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
        .With("healthcheck", service.Probe is { } probe ? new YamlMap()
            .With("test", new List<string>(["CMD", .. probe.Command.Select(Escape)]))
            .With("interval", "5s")
            .With("timeout", "10s")
            .With("retries", 6)
            .With("start_period", "60s") : null)
        .With("stop_grace_period", service.Kind == PublishedKind.Database ? "60s" : "40s")
        .With("deploy", service.Kind == PublishedKind.Replicated ? new YamlMap().With("replicas", "${WEB_REPLICAS:-1}") : null);

    private static string Image(PublishedModel model, PublishedService service) =>
        service.Image.IsSite ? $"{service.Image.Name}:${{VERSION:-{model.Version}}}" : $"{service.Image.Name}:{service.Image.Tag}";

    private static List<object> Mounts(PublishedService service) =>
    [
        .. service.Volumes.Select(volume => volume.ToString()),
        .. service.Files.Select(file => $"./{file.Path}:{file.Target}:ro"),
    ];

    private static string HostPort(int port) => port switch
    {
        80 => "${HTTP_PORT:-80}",
        443 => "${HTTPS_PORT:-443}",
        _ => Number(port),
    };

    private static string Reference(PublishedVariable variable) => $"${{{variable.Name}:?fill it in in .env}}";

    // Compose reads $ as the beginning of a variable.
    private static string Escape(string text) => text.Replace("$", "$$", StringComparison.Ordinal);

    private static string Number(int number) => number.ToString(CultureInfo.InvariantCulture);
}
