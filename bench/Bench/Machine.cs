using System.Globalization;

namespace UvlhubAspire.Bench;

/// <summary>Where the figures were taken.</summary>
internal static class Machine
{
    /// <summary>The load average of the last minutes.</summary>
    public static string Load =>
        File.Exists("/proc/loadavg") ? string.Join(' ', File.ReadAllText("/proc/loadavg").Split(' ').Take(3)) : "unknown";

    /// <summary>The command, the machine and the versions.</summary>
    public static async Task<IReadOnlyList<(string Name, string Value)>> DescribeAsync(
        BenchOptions options, string[] arguments, IReadOnlyList<string> services, CancellationToken cancellationToken)
    {
        var processor = File.Exists("/proc/cpuinfo")
            ? File.ReadLines("/proc/cpuinfo").FirstOrDefault(line => line.StartsWith("model name", StringComparison.Ordinal))?.Split(':')[1]
                .Trim()
            : null;
        return
        [
            ("command", string.Join(' ', ["bench/run.sh", .. arguments])),
            ("date", DateTimeOffset.UtcNow.ToString("yyyy-MM-dd HH:mm 'UTC'", CultureInfo.InvariantCulture)),
            (
                "checkout",
                $"{Path.GetFileName(options.Checkout)}, services web, db{string.Concat(services.Select(service => $", {service}"))}"),
            (
                "machine",
                $"{Environment.ProcessorCount} × {processor ?? "unknown processor"}, "
                + $"{System.Runtime.InteropServices.RuntimeInformation.OSDescription}"),
            // What bench/quiet.sh thinks of it.
            ("load average at the start", Environment.GetEnvironmentVariable("BENCH_LOAD") ?? Load),
            (
                "engine",
                await Tool.DockerAsync(cancellationToken, "version", "--format", "Docker {{.Server.Version}}, client {{.Client.Version}}")),
            ("compose", await Tool.DockerAsync(cancellationToken, "compose", "version", "--short")),
            (
                ".NET",
                $"{Environment.Version}, SDK {await Tool.RunAsync("dotnet", ["--version"], TimeSpan.FromSeconds(30), cancellationToken)}"),
            ("Aspire", AspireVersion()),
        ];
    }

    private static string AspireVersion()
    {
        var file = Path.Combine(Path.GetDirectoryName(Checkout.RepositoryFolder.AppHost)!, "Directory.Packages.props");
        var package = System.Xml.Linq.XDocument.Load(file).Descendants("PackageVersion")
            .First(element => (string?)element.Attribute("Include") == "Aspire.Hosting.AppHost");
        return (string)package.Attribute("Version")!;
    }
}
