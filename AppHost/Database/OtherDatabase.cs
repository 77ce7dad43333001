using UvlhubAspire.Hosting.Compose;

namespace UvlhubAspire.AppHost.Database;

/// <summary>Says at once that a checkout's database is none that can be run here, where it would not be reached in minutes.</summary>
internal static class OtherDatabase
{
    private const string Service = "db";
    private static readonly string[] s_repositories = ["postgres", "postgresql", "postgis", "pgvector", "timescaledb"];

    /// <summary>Refuses a compose file whose database is PostgreSQL.</summary>
    /// <exception cref="UserErrorException">It is: the line, and what can be done.</exception>
    public static void Refuse(ComposeFile? compose)
    {
        var postgres = compose?.Services.Select(service => (Service: service, Image: Images(service).FirstOrDefault(IsPostgres)))
            .Where(candidate => candidate.Image is not null)
            // Beside a MariaDB it is some service's own affair.
            .FirstOrDefault(candidate => candidate.Service.Name == Service || compose.Service(Service) is null);
        if (postgres is not { Service: { } service, Image: { } image })
        {
            return;
        }

        throw new UserErrorException(
            $"{service.Name} runs {image}: this checkout's database is PostgreSQL, and here a uvlhub runs on MariaDB, which is migrated, "
            + "saved and restored with its own means. Take a branch of the checkout that uses MariaDB, or start this one by its compose "
            + $"file: docker compose -f {compose!.Path} up",
            service.At.File,
            service.Build?.At.Line ?? service.LineOf("image").Line);
    }

    private static IEnumerable<string> Images(ComposeService service) =>
        service.Build is not { } build ? service.Image is { } image ? [image] : []
            : File.Exists(build.DockerfilePath) ? Dockerfile.Read(build.DockerfilePath).BaseImages
            : [];

    private static bool IsPostgres(string image) => s_repositories.Contains(
        image.Split('@')[0].Split('/')[^1].Split(':')[0], StringComparer.OrdinalIgnoreCase);
}
