using System.Runtime.Versioning;
using Microsoft.Extensions.Configuration;
using Xunit;

namespace UvlhubAspire.Engine.Tests;

/// <summary>Which engine is asked, and what is read of its answers. The engine is a script that prints what one has printed.</summary>
[UnsupportedOSPlatform("windows")]
public sealed class ContainerEngineTests : IDisposable
{
    private readonly TemporaryFolder _folder = new();

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    public void Dispose() => _folder.Dispose();

    [Theory]
    [InlineData("DcpPublisher:ContainerRuntime")]
    [InlineData("ASPIRE_CONTAINER_RUNTIME")]
    [InlineData("DOTNET_ASPIRE_CONTAINER_RUNTIME")]
    public void The_engine_is_the_one_that_Aspire_is_told_of(string setting) =>
        Assert.Equal("podman", ContainerEngine.FromConfiguration(Configuration((setting, "podman"))).Executable);

    [Fact]
    public async Task A_container_is_read_with_its_labels_its_end_and_its_health()
    {
        var (found, error) = await Engine("""
            [{"Id":"1a2b","Name":"/web","Image":"sha256:3c4d","Config":{"Labels":{"com.docker.compose.project":"docker"}},"State":{
            "Status":"exited","ExitCode":137,"OOMKilled":true,"StartedAt":"2026-11-30T03:11:17.299192807Z","FinishedAt":"2026-11-30T04:11:17.2+01:00",
            "Health":{"Status":"unhealthy","FailingStreak":1,"Log":[{"ExitCode":1,"Output":"refused"}]}}}]
            """).InspectAsync("container", "web", Cancellation);
        Assert.Empty(error);
        Assert.Equal(
            ("1a2b", "/web", "docker", null),
            (found?.Id, found?.Name, found?.Label("com.docker.compose.project"), found?.Label("another")));
        Assert.True(found?.State is { Status: "exited", ExitCode: 137, OOMKilled: true, Health: { Status: "unhealthy", Log: [{ Output: "refused" }] } });
        Assert.Equal(
            (2026, 3, 11), (found.State.StartedAt.Year, found.State.StartedAt.UtcDateTime.Hour, found.State.FinishedAt.UtcDateTime.Minute));
    }

    [Fact]
    public async Task A_volume_without_labels_has_none()
    {
        var (found, _) = await Engine(
            """[{"Name":"data","Labels":null,"Mountpoint":"/var/lib/data"}]""").InspectAsync("volume", "data", Cancellation);
        Assert.NotNull(found);
        Assert.Null(found.Label("uvlhub-aspire.checkout"));
    }

    [Fact]
    public async Task What_is_not_there_is_nothing_with_the_engines_reason() =>
        Assert.Equal(
            (null, "no such volume: x"), await Engine("[]", "no such volume: x", exitCode: 1).InspectAsync("volume", "x", Cancellation));

    [Theory]
    [InlineData("Error response from daemon: No such image: %s", 1)]
    [InlineData("Error: %s: image not known", 1)]
    [InlineData("Fehler", 4)]
    public async Task Images_that_are_asked_for_together_are_one_question_if_the_answer_is_understood(string error, int questions)
    {
        var script = _folder.Write("engine", $$"""
            #!/bin/sh
            echo "$*" >> "$(dirname "$0")/questions"
            shift 4
            for image; do
                case $image in *here:*) echo sha256:1 ;; *) printf '{{error}}\n' "${image#docker.io/library/}" >&2 && code=1 ;; esac
            done
            exit ${code:-0}

            """);
        File.SetUnixFileMode(script, UnixFileMode.UserRead | UnixFileMode.UserExecute);
        var engine = new ContainerEngine(script);

        string[] images = ["here:1", "docker.io/library/gone:1", "registry.example/here:1"];
        var present = await Task.WhenAll(images.Select(image => engine.HasImageAsync(image, Cancellation)));

        Assert.Equal([true, false, true], present);
        Assert.True(await engine.HasImageAsync(images[0], Cancellation));

        Assert.Equal(questions, (await File.ReadAllLinesAsync(Path.Combine(_folder.Path, "questions"), Cancellation)).Length);
    }

    private static IConfiguration Configuration((string Key, string Value) setting) =>
        new ConfigurationBuilder().AddInMemoryCollection([KeyValuePair.Create<string, string?>(setting.Key, setting.Value)]).Build();

    private ContainerEngine Engine(string output, string error = "", int exitCode = 0)
    {
        var script = _folder.Write("engine", $"#!/bin/sh\ncat <<'END'\n{output}\nEND\necho '{error}' >&2\nexit {exitCode}\n");
        File.SetUnixFileMode(script, UnixFileMode.UserRead | UnixFileMode.UserExecute);
        return new ContainerEngine(script);
    }
}
