using Xunit;

namespace UvlhubAspire.Engine.Tests;

public sealed class DockerfileTests : IDisposable
{
    private readonly TemporaryFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Fact]
    public void Base_images_are_what_has_to_be_there_before_a_build()
    {
        var path = _folder.Write(
            "Dockerfile",
            "ARG VERSION=3.13\nARG NONE\nFROM python:${VERSION}-slim AS base\nFROM base AS tools\nFROM scratch\nFROM node:$VERSION\nCOPY "
            + "--from=tools /a /b\n");
        Assert.Equal(["python:3.13-slim", "node:3.13"], Dockerfile.Read(path).BaseImages);
    }

    [Fact]
    public void A_dockerfiles_last_working_directory_and_environment_are_read_through_continuations_and_comments()
    {
        var path = _folder.Write(
            "Dockerfile",
            "# FROM nothing\nFROM --platform=linux/amd64 python:3.12-slim AS base\nENV A=1 \\\n    B=\"2\"\nENV OLD form of it\nworkdir "
            + "/srv\nWORKDIR app\n");
        var dockerfile = Dockerfile.Read(path);
        Assert.Equal("/srv/app", dockerfile.WorkingDirectory);
        Assert.Equal(["python:3.12-slim"], dockerfile.BaseImages);
        Assert.Equal([new("A", "1"), new("B", "2"), new("OLD", "form of it")], dockerfile.Environment);
    }
}
