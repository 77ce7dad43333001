using System.Text.Json.Nodes;
using Xunit;

namespace UvlhubAspire.Hosting.Compose.Tests;

public sealed class EditionComposeTests : IDisposable
{
    private readonly TemporaryFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Theory]
    [InlineData(Edition.Course)]
    [InlineData(Edition.Splent)]
    [InlineData(Edition.Diverso)]
    public void Every_compose_file_of_each_edition_is_read_without_loss(string name)
    {
        var edition = Edition.Load(name);
        edition.WriteCheckout(_folder);
        Assert.NotEmpty(edition.ComposeFiles);
        foreach (var file in edition.ComposeFiles)
        {
            AssertHolds(edition.Compose(file), ComposeFile.Read(Path.Combine(_folder.Path, "docker", file), _ => null));
        }
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
            Assert.Equal(
                (Text(fact["image"]), Text(fact["container_name"]), Text(fact["restart"])),
                (service.Image, service.ContainerName, service.Restart));
            Assert.Equal(
                fact["build"] is { } build
                    ? Path.GetFullPath(Path.Combine(folder, Text(build["context"])!, Text(build["dockerfile"])!))
                    : null,
                service.Build?.DockerfilePath);
            Assert.Equal(
                fact["command"] is JsonArray words ? Texts(words) : fact["command"] is { } line ? Text(line)!.Split(' ') : null,
                service.Command);
            Assert.Equal(Texts(fact["ports"]), service.Ports.Select(port => $"{port.Published}:{port.Target}"));
            Assert.Equal(Texts(fact["expose"]), service.Expose);
            Assert.Equal(Texts(fact["depends_on"]), service.DependsOn.Select(other => other.Service));
            Assert.Equal(Texts(fact["networks"]), service.Networks.Select(network => network.Name));
            Assert.Equal(
                Texts(fact["env_file"]).Select(path => Path.GetFullPath(Path.Combine(folder, path))),
                service.EnvironmentFiles.Select(env => env.Path));
            Assert.Equal(
                fact["environment"] is JsonObject map ? map.Select(pair => $"{pair.Key}={Text(pair.Value)}") : Texts(fact["environment"]),
                service.Environment.Select(variable => $"{variable.Name}={variable.Value}"));
            Assert.Equal(
                Texts(fact["volumes"]).Select(mount => mount.Split(':') is [_, var target, ..] ? target : mount),
                service.Mounts.Select(mount => mount.Target));
            Assert.Equal(Text(fact["shm_size"]), service.Option("shm_size").FirstOrDefault());
        }
    }

    private static string? Text(JsonNode? node) => node?.ToString();

    private static IEnumerable<string> Texts(JsonNode? node) => node?.AsArray().Select(item => item!.ToString()) ?? [];
}
