using Aspire.Hosting;
using Aspire.Hosting.ApplicationModel;
using UvlhubAspire.AppHost.Publishing;
using UvlhubAspire.AppHost.Uvlhub;
using Xunit;

namespace UvlhubAspire.AppHost.Tests.Publishing;

/// <summary>Which of this machine's files are copied into what is published.</summary>
public sealed class PublishedFilesTests : IDisposable
{
    private readonly TemporaryFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Fact]
    public void Of_nginxs_folders_everything_is_published_but_settings_repositories_and_what_links_lead_to()
    {
        _folder.Write("outside/secret.html", "a secret");
        foreach (var file in (string[])["502.html", "css/site.css", ".well-known/security.txt", ".env", ".env.production", "css/.env", ".git/config"])
        {
            _folder.Write($"html/{file}", file);
        }

        File.CreateSymbolicLink(Path.Combine(_folder.Path, "html/link.html"), Path.Combine(_folder.Path, "outside/secret.html"));
        Directory.CreateSymbolicLink(Path.Combine(_folder.Path, "html/outside"), Path.Combine(_folder.Path, "outside"));

        Assert.Equal(
            ["nginx/html/.well-known/security.txt", "nginx/html/502.html", "nginx/html/css/site.css"],
            Published("nginx", PublishedKind.Gateway, "html").Select(file => file.Path));
    }

    [Theory]
    [InlineData("data")]
    [InlineData(".env.production")]
    [InlineData("link.sql")]
    [InlineData("nothing")]
    public void A_folder_of_anybody_else_settings_links_and_what_is_not_there_are_refused(string source)
    {
        _folder.Write("data/dump.sql", "rows");
        _folder.Write(".env.production", "MARIADB_PASSWORD=secret");
        File.CreateSymbolicLink(Path.Combine(_folder.Path, "link.sql"), Path.Combine(_folder.Path, "data/dump.sql"));

        var message = Assert.Throws<DistributedApplicationException>(() => Published("mock", PublishedKind.Single, source)).Message;

        Assert.StartsWith($"mock mounts {Path.Combine(_folder.Path, source)}, which does not leave this machine", message, StringComparison.Ordinal);
        Assert.Contains("Uvlhub:Services=-mock", message, StringComparison.Ordinal);
    }

    [Fact]
    public void A_single_file_is_published_with_whoever_reads_it()
    {
        _folder.Write("mock.conf", "port 1");
        Assert.Equal("mock/srv", Assert.Single(Published("mock", PublishedKind.Single, "mock.conf")).Path);
    }

    private List<PublishedFile> Published(string name, PublishedKind kind, string source)
    {
        var container = new ContainerResource(name);
        container.Annotations.Add(new PublishedAs(kind));
        var target = kind == PublishedKind.Gateway ? "/usr/share/nginx/html" : "/srv";
        return [.. PublishedModelReader.Files(
            container, new ContainerMountAnnotation(Path.Combine(_folder.Path, source), target, ContainerMountType.BindMount, isReadOnly: true))];
    }
}
