using UvlhubAspire.AppHost.Images;
using UvlhubAspire.Checkout;
using UvlhubAspire.Engine;
using Xunit;

namespace UvlhubAspire.AppHost.Tests.Release;

public sealed class SiteDockerfileTests : IDisposable
{
    private const string Production = """
        # syntax=docker/dockerfile:1
        FROM python:3.12-slim
        RUN apt-get update \
            && apt-get install -y mariadb-client # not here
        WORKDIR /app
        COPY app/ ./app
        RUN find . -name "__pycache__" -exec rm -r {} + && \
            find . -name "*.pyc" -exec rm -f {} +
        RUN pip install -r requirements.txt
        ARG VERSION_TAG
        RUN echo $VERSION_TAG > /app/.version
        CMD ["gunicorn", "app:app"]
        """;

    private readonly TemporaryFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Fact]
    public void On_a_stand_in_the_code_is_copied_and_nothing_is_installed()
    {
        var text = SiteDockerfile.OnStandIn(Read(Production), "stand-in:1");
        Assert.StartsWith("FROM stand-in:1 AS uvlhub-checkout\nWORKDIR /app\nCOPY app/ ./app\nRUN find .", text, StringComparison.Ordinal);
        Assert.Contains("ARG VERSION_TAG\nRUN echo $VERSION_TAG > /app/.version\nCMD", text, StringComparison.Ordinal);
        // But for the one stage that is built where backups go to another machine.
        Assert.DoesNotContain("apt-get", text.Split(SiteDockerfile.SftpStage)[0], StringComparison.Ordinal);
        Assert.DoesNotContain("pip", text, StringComparison.Ordinal);
        Assert.DoesNotContain("syntax", text, StringComparison.Ordinal);
    }

    [Fact]
    public void On_its_own_base_nothing_of_it_is_lost()
    {
        var text = SiteDockerfile.OnItsOwnBase(Read(Production));
        Assert.StartsWith(
            "# syntax=docker/dockerfile:1\nFROM python:3.12-slim AS uvlhub-checkout\nRUN apt-get update", text, StringComparison.Ordinal);
        Assert.Contains("\nFROM uvlhub-checkout AS uvlhub-web\n", text, StringComparison.Ordinal);
        Assert.Contains("\nFROM uvlhub-web AS uvlhub-migrator\n", text, StringComparison.Ordinal);
    }

    [Fact]
    public void Stages_keep_their_names_and_only_what_comes_from_outside_is_replaced()
    {
        var text = SiteDockerfile.OnStandIn(
            Read("FROM node:22 AS assets\nRUN npm ci\nFROM python:3.12 AS base\nFROM base AS site\nCOPY --from=assets /x /y\n"),
            "stand-in:1");
        Assert.StartsWith(
            "FROM stand-in:1 AS assets\nFROM stand-in:1 AS base\nFROM base AS site\nCOPY --from=assets /x /y\n", text,
            StringComparison.Ordinal);
        Assert.Contains("\nFROM site AS uvlhub-web\n", text, StringComparison.Ordinal);
    }

    [Fact]
    public void Settings_are_kept_from_the_builder_beside_what_the_checkout_keeps_from_it()
    {
        _folder.Write(".dockerignore", "node_modules\n");
        _folder.Write("app/__init__.py", "");
        _folder.Write(".env", "");
        _folder.Write("docker/images/Dockerfile.prod", Production);
        var ignored = SiteDockerfile.Ignored(UvlhubCheckout.Read(_folder.Path, EnvironmentProfile.Production)).Split('\n');
        Assert.Superset(new HashSet<string>(["node_modules", "**/.env", "**/.env.*", ".git", "uploads"]), ignored.ToHashSet());
    }

    private Dockerfile Read(string text) => Dockerfile.Read(_folder.Write("Dockerfile.prod", text));
}
