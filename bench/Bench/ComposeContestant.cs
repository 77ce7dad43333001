using System.Text;
using UvlhubAspire.Checkout;

namespace UvlhubAspire.Bench;

/// <summary>
/// Their side: <c>docker compose up -d</c> on the checkout's own development file, whose entrypoint waits, makes the test
/// database, upgrades, seeds and serves. A second file puts in the images that our side runs, and names and ports that
/// disturb nobody.
/// </summary>
/// <param name="name">The project.</param>
/// <param name="checkout">The copy of the checkout.</param>
/// <param name="services">The services beside the site and the database.</param>
/// <param name="images">The images that our side runs, by service.</param>
internal sealed class ComposeContestant(
    string name, UvlhubCheckout checkout, IReadOnlyList<string> services, IReadOnlyDictionary<string, string> images)
    : Contestant(name, checkout)
{
    private const string Unix = "unix://";

    // As often as ours is asked.
    private const string HealthCheck = "    healthcheck:\n      test: curl --fail --silent --output /dev/null http://localhost:5000/\n"
        + "      interval: 1s\n      retries: 240\n";

    // As the editions' files mount it: the course's application does not load without. Ours starts without.
    private static string EngineSocket => Environment.GetEnvironmentVariable("DOCKER_HOST") is { } host
        && host.StartsWith(Unix, StringComparison.Ordinal) ? host[Unix.Length..] : "/var/run/docker.sock";

    private string File => Path.Combine(Checkout.Path, "docker", "docker-compose.dev.yml");

    private string Override => Path.Combine(Path.GetDirectoryName(Checkout.Path)!, $"{Name}.yml");

    /// <inheritdoc/>
    public override string DatabaseContainer => $"{Name}-db-1";

    /// <inheritdoc/>
    public override string WebContainer => $"{Name}-web-1";

    /// <inheritdoc/>
    public override Task StopAsync(bool removeData, CancellationToken cancellationToken) =>
        !System.IO.File.Exists(Override) ? Task.CompletedTask
        : ComposeAsync(cancellationToken, ["down", "--remove-orphans", .. removeData ? ["--volumes"] : Array.Empty<string>()]);

    /// <inheritdoc/>
    protected override Task LaunchAsync(long since, CancellationToken cancellationToken) => UpAsync(cancellationToken);

    /// <inheritdoc/>
    protected override Task LaunchDetachedAsync(CancellationToken cancellationToken) => UpAsync(cancellationToken, "--wait");

    private async Task UpAsync(CancellationToken cancellationToken, params string[] options)
    {
        if (!System.IO.File.Exists(Override))
        {
            await System.IO.File.WriteAllTextAsync(Override, OverrideText(isWaitedFor: options.Length > 0), cancellationToken);
        }

        await ComposeAsync(cancellationToken, ["up", "--detach", .. options, "web", "db", .. services]);
    }

    /// <inheritdoc/>
    protected override IEnumerable<Phase> Phases(
        IReadOnlyList<EngineEvent> events, IEnumerable<Phase> commands, DateTimeOffset started, double? databaseReady, double firstPage)
    {
        var database = At(events, started, "start", DatabaseContainer) ?? 0;
        yield return new Phase("compose", 0, database);
        yield return new Phase("MariaDB", database, databaseReady ?? database);
        foreach (var command in commands)
        {
            yield return command.Name == "Flask" ? command with { End = firstPage } : command;
        }
    }

    private Task ComposeAsync(CancellationToken cancellationToken, params string[] words) =>
        Tool.RunAsync(
            "docker", ["compose", "--project-name", Name, "--file", File, "--file", Override, .. words], StartLimit, cancellationToken);

    private string OverrideText(bool isWaitedFor)
    {
        var text = new StringBuilder("services:\n");
        foreach (var service in (string[])["web", "db", .. services])
        {
            text.Append($"  {service}:\n    container_name: !reset null\n    build: !reset null\n    image: {images[service]}\n");
            text.Append(service switch
            {
                // The stand-in has no working directory of its own.
                "web" =>
                    $"    working_dir: {Checkout.WorkingDirectory}\n    ports: !override [\"127.0.0.1:{Port}:5000\"]\n    volumes: "
                    + $"!override [\"{Checkout.Path}:{Checkout.WorkingDirectory}\", \"{EngineSocket}:/var/run/docker.sock\"]\n"
                    + (isWaitedFor ? HealthCheck : ""),
                "db" => "    restart: always\n    ports: !override [\"127.0.0.1::3306\"]\n",
                _ => "    ports: !override [\"127.0.0.1::80\"]\n",
            });
        }

        return text.ToString();
    }
}
