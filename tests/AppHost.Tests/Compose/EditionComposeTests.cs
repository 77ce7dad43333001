using System.Text.Json.Nodes;
using UvlhubAspire.AppHost.Uvlhub;
using UvlhubAspire.Checkout;
using UvlhubAspire.Engine;
using UvlhubAspire.Hosting.Compose;
using Xunit;

namespace UvlhubAspire.AppHost.Tests.Compose;

public sealed class EditionComposeTests : IDisposable
{
    private readonly TemporaryFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Theory]
    [InlineData("egc2526-v1.0.0", 3, 4)]
    [InlineData("egcetsii-main-2026-07", 6, 4)]
    [InlineData("diverso-lab-v2.9", 10, 4)]
    public void Every_compose_file_of_each_edition_is_read_without_loss(string name, int developmentServices, int files)
    {
        var edition = Edition.Load(name);
        edition.WriteCheckout(_folder);
        var found = CheckoutComposeFiles.Find(_folder.Path);

        Assert.Equal(Path.Combine(_folder.Path, "docker", "docker-compose.dev.yml"), found.Development);
        Assert.Equal(files, found.Others.Count + 1);
        Assert.Equal(developmentServices, found.ReadDevelopment(UvlhubCheckout.Read(_folder.Path))!.Services.Count);
        foreach (var path in found.Others.Append(found.Development!))
        {
            AssertHolds(edition.Compose(Path.GetFileName(path)), ComposeFile.Read(path, _ => null));
        }
    }

    [Theory]
    [InlineData("docker/docker-compose.dev.yml", "docker/docker-compose.dev.yml", "docker/docker-compose.yml", "docker-compose.yml")]
    [InlineData("docker-compose.dev.yml", "docker-compose.dev.yml", "docker-compose.yml", "docker-compose.prod.yml")]
    [InlineData("docker-compose.yml", "docker-compose.yml", "docker-compose.prod.yml", "docker/docker-compose.yml")]
    [InlineData("compose.yaml", "compose.yaml", "docker-compose.yml")]
    [InlineData("docker/compose.yml", "docker/compose.yml", "docker-compose.prod.yml")]
    [InlineData(null, "docker-compose.prod.yml", "docker/nginx.yml")]
    public void The_development_file_is_found_among_the_others(string? development, params string[] files)
    {
        foreach (var file in files)
        {
            _folder.Write(file, "services: { web: { image: a } }");
        }

        Assert.Equal(development is null ? null : Path.Combine(_folder.Path, development), CheckoutComposeFiles.Find(_folder.Path).Development);
    }

    [Fact]
    public void A_development_file_of_compose_s_own_name_brings_its_override_file()
    {
        _folder.Write("compose.yaml", "services: { web: { image: a } }");
        var over = _folder.Write("compose.override.yaml", "services: { web: { image: b } }");
        var found = CheckoutComposeFiles.Find(_folder.Path);
        Assert.Equal((over, 0), (found.Override, found.Others.Count));
    }

    [Fact]
    public void The_setting_names_another_development_file()
    {
        _folder.Write("docker-compose.yml", "services: { web: { image: a } }");
        var own = _folder.Write("ci/stack.yml", "services: { web: { image: a } }");
        Assert.Equal(own, CheckoutComposeFiles.Find(_folder.Path, "ci/stack.yml").Development);

        var exception = Assert.Throws<CheckoutException>(() => CheckoutComposeFiles.Find(_folder.Path, "gone.yml"));
        Assert.Contains("Uvlhub:ComposeFile", exception.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Variables_come_from_the_checkouts_settings()
    {
        Edition.Load("egc2526-v1.0.0").WriteCheckout(_folder);
        _folder.Write("docker/docker-compose.dev.yml", "services: { web: { image: \"${MARIADB_USER}\" } }");
        Assert.Equal("uvlhubdb_user", CheckoutComposeFiles.Find(_folder.Path).ReadDevelopment(UvlhubCheckout.Read(_folder.Path))!.Services[0].Image);
    }

    private static void AssertHolds(JsonObject facts, ComposeFile file)
    {
        Assert.Empty(file.Findings);
        Assert.Equal(facts["services"]!.AsObject().Select(service => service.Key), file.Services.Select(service => service.Name));
        Assert.Equal(facts["volumes"]?.AsObject().Select(volume => volume.Key) ?? [], file.Volumes.Select(volume => volume.Name));
        Assert.Equal(facts["networks"]?.AsObject().Select(network => network.Key) ?? [], file.Networks.Select(network => network.Name));
        foreach (var service in file.Services)
        {
            var fact = facts["services"]![service.Name]!.AsObject();
            var folder = Path.GetDirectoryName(file.Path)!;
            Assert.Empty(service.Unsupported);
            Assert.Equal(fact.Select(key => key.Key).Order(), service.Lines.Keys.Order());
            Assert.Equal((Text(fact["image"]), Text(fact["container_name"]), Text(fact["restart"])), (service.Image, service.ContainerName, service.Restart));
            Assert.Equal(
                fact["build"] is { } build ? Path.GetFullPath(Path.Combine(folder, Text(build["context"])!, Text(build["dockerfile"])!)) : null,
                service.Build?.DockerfilePath);
            Assert.Equal(fact["command"] is JsonArray words ? Texts(words) : fact["command"] is { } line ? Text(line)!.Split(' ') : null, service.Command);
            Assert.Equal(Texts(fact["ports"]), service.Ports.Select(port => $"{port.Published}:{port.Target}"));
            Assert.Equal(Texts(fact["expose"]), service.Expose);
            Assert.Equal(Texts(fact["depends_on"]), service.DependsOn.Select(other => other.Service));
            Assert.Equal(Texts(fact["networks"]), service.Networks.Select(network => network.Name));
            Assert.Equal(Texts(fact["env_file"]).Select(path => Path.GetFullPath(Path.Combine(folder, path))), service.EnvironmentFiles.Select(env => env.Path));
            Assert.Equal(
                fact["environment"] is JsonObject map ? map.Select(pair => $"{pair.Key}={Text(pair.Value)}") : Texts(fact["environment"]),
                service.Environment.Select(variable => $"{variable.Name}={variable.Value}"));
            Assert.Equal(Texts(fact["volumes"]).Select(mount => mount.Split(':') is [_, var target, ..] ? target : mount), service.Mounts.Select(mount => mount.Target));
            Assert.Equal(Text(fact["shm_size"]), service.Option("shm_size").FirstOrDefault());
        }
    }

    private static string? Text(JsonNode? node) => node?.ToString();

    private static IEnumerable<string> Texts(JsonNode? node) => node?.AsArray().Select(item => item!.ToString()) ?? [];
}
