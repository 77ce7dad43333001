using System.IO.Compression;
using System.Text.Json.Nodes;
using System.Xml.Linq;
using MySqlConnector;
using UvlhubAspire.Hosting.Containers;
using Xunit;

namespace UvlhubAspire.EndToEnd.Tests;

/// <summary>What samples/mariadb/README.md says, in a fresh clone: the package is packed, and an AppHost has it from a feed.</summary>
public sealed class MariaDBPackageTests
{
    private const string Sample = "samples/mariadb";

    // As if a registry had delivered it: who has a mirror names it in the same way.
    private readonly string _registry = $"mirror-{Guid.NewGuid():N}.invalid";

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    [Fact(Timeout = 600_000)]
    public async Task It_is_packed_alone_and_an_AppHost_of_a_dozen_lines_runs_on_it()
    {
        using var clone = await FreshClone.MakeAsync(Cancellation);
        var folder = Path.Combine(clone.Path, Sample);
        var commands = File.ReadLines(Path.Combine(folder, "README.md"))
            .Where(line => line.StartsWith("dotnet ", StringComparison.Ordinal)).ToList();
        Assert.Equal(2, commands.Count);
        // The machine's packages serve what they have, and are not given one that the next test would find there.
        var prepare = $"""
            cd {Sample}
            export RestoreFallbackFolders="${"{NUGET_PACKAGES:-$HOME/.nuget/packages}"}"
            export NUGET_PACKAGES='{clone.Path}/nuget' XDG_DATA_HOME='{clone.Path}/data'

            """;
        var image = $"{_registry}/library/mariadb:12.0.2";
        await TestContainer.DockerAsync("tag", await TestContainer.EnsureImageAsync("mariadb"), image);
        try
        {
            var packed = await clone.ExecuteAsync("/bin/sh", ["-euc", prepare + commands[0]], Cancellation);
            Assert.True(packed.IsSuccess, packed.StandardOutput + packed.StandardError);
            IsThePackage(Assert.Single(Directory.GetFiles(Path.Combine(folder, "packages"))));

            string[] settings =
            [
                $"--Registry={_registry}", "--Parameters:mariadb-root-password=root", "--Parameters:mariadb-password=\"a;b'c\"",
                .. ((string[])["ASPNETCORE_URLS", "ASPIRE_DASHBOARD_OTLP_ENDPOINT_URL", "ASPIRE_RESOURCE_SERVICE_ENDPOINT_URL"])
                    .Select(setting => $"--{setting}=http://localhost:{FreePorts.Next()}"),
            ];
            await clone.InterruptAsync(
                "/bin/sh", ["-euc", $"{prepare}exec {commands[1]} -- {string.Join(' ', settings)}"],
                "Distributed application started", Cancellation, () => WorksAsync(clone, image));

            await Eventually.IsAsync(() => ContainersAsync(image), containers => containers.Count == 0, what: "no container of it");
        }
        finally
        {
            await TestContainer.DockerAsync("rmi", image);
        }
    }

    private static void IsThePackage(string path)
    {
        using var package = ZipFile.OpenRead(path);
        Assert.Superset(
            new HashSet<string>(
            [
                "README.md", "lib/net10.0/UvlhubAspire.Hosting.MariaDB.dll", "lib/net10.0/UvlhubAspire.Hosting.MariaDB.xml",
            ]),
            package.Entries.Select(entry => entry.FullName).ToHashSet());
        using var specification = package.GetEntry("UvlhubAspire.Hosting.MariaDB.nuspec")!.Open();
        Assert.Equal(
            ["Aspire.Hosting", "MySqlConnector"],
            XDocument.Load(specification).Descendants().Where(element => element.Name.LocalName == "dependency")
                .Select(dependency => dependency.Attribute("id")!.Value).Order(StringComparer.Ordinal));
    }

    private static async Task WorksAsync(FreshClone clone, string image)
    {
        var restored = await clone.ExecuteAsync("dotnet", ["tool", "restore"], Cancellation);
        Assert.True(restored.IsSuccess, restored.StandardOutput + restored.StandardError);
        var waited = await clone.ExecuteAsync(
            "dotnet",
            [
                "tool", "run", "aspire", "--", "wait", "shop", "--status", "healthy", "--timeout", "120", "--non-interactive", "--nologo",
                "--apphost", $"{Sample}/apphost.cs",
            ],
            Cancellation);
        Assert.True(waited.IsSuccess, waited.StandardOutput + waited.StandardError);

        var containers = await Eventually.IsAsync(
            () => ContainersAsync(image), containers => containers["exited"].Any(), what: "a client that has ended");
        var client = containers["exited"].Single();
        Assert.Contains("coffee machine", await TestContainer.DockerAsync("logs", client), StringComparison.Ordinal);

        var environment = JsonNode.Parse(await TestContainer.DockerAsync("inspect", "--format", "{{json .Config.Env}}", client))!.AsArray();
        const string Variable = "ConnectionStrings__shop=";
        var connectionString = environment.Select(variable => variable!.GetValue<string>())
            .Single(variable => variable.StartsWith(Variable, StringComparison.Ordinal))[Variable.Length..];
        var port = await TestContainer.DockerAsync("port", containers["running"].Single(), "3306/tcp");
        // It was a container's; from here the server has another address.
        var settings = new MySqlConnectionStringBuilder(connectionString)
        {
            Server = "127.0.0.1",
            Port = uint.Parse(port.Split('\n')[0].Split(':')[^1], System.Globalization.CultureInfo.InvariantCulture),
            Pooling = false,
        };
        await using var connection = new MySqlConnection(settings.ConnectionString);
        await connection.OpenAsync(Cancellation);
        await using var command = new MySqlCommand("SELECT CONCAT(CURRENT_USER(), ': ', name) FROM products", connection);
        Assert.Equal("shopkeeper@%: coffee machine", await command.ExecuteScalarAsync(Cancellation));
    }

    // By the name that they were started with: others run the same image under its own.
    private static async Task<ILookup<string, string>> ContainersAsync(string image) =>
        (await TestContainer.DockerAsync("ps", "--all", "--format", "{{.Image}}\t{{.State}}\t{{.ID}}"))
        .Split('\n', StringSplitOptions.RemoveEmptyEntries)
        .Select(line => line.Split('\t'))
        .Where(container => container[0] == image)
        .ToLookup(container => container[1], container => container[2]);
}
