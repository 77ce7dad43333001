using Xunit;

namespace UvlhubAspire.EndToEnd.Tests;

/// <summary>The bundled sample in Production, on an empty volume, with secrets of its own.</summary>
public sealed class RunningProduction : IAsyncLifetime
{
    public const string Version = "v1.2-e2e";

    public const string Password = "Pr0duction-of-a-test";

    public const string WebhookToken = "4f1c0f5be1a94c0c8f7f6d2b6c1e0a35";

    /// <summary>No name of the world's: the certificate authority is one that runs beside the site.</summary>
    public const string Domain = "uvlhub.test";

    private Uvlhub? _uvlhub;

    public SampleCheckout Checkout { get; } = new();

    public Uvlhub Uvlhub => _uvlhub ?? throw new InvalidOperationException("not started");

    /// <summary>What a fork's owner writes on the server.</summary>
    public static void FillIn(SampleCheckout checkout) => File.WriteAllText(checkout.File(".env"), $"""
        FLASK_APP_NAME="MINIHUB"
        FLASK_ENV=production
        DOMAIN={Domain}
        MARIADB_DATABASE=uvlhubdb
        MARIADB_USER=uvlhub_production
        MARIADB_PASSWORD={Password}
        MARIADB_ROOT_PASSWORD={Password}-root
        """);

    public async ValueTask InitializeAsync()
    {
        FillIn(Checkout);
        await File.AppendAllTextAsync(Checkout.File(".env"), $"\nWEBHOOK_TOKEN={WebhookToken}\nREDIS_URL=redis://redis:6379\n");
        AddWorker(Checkout);
        _uvlhub = await Uvlhub.StartHealthyAsync(
            Checkout.Path, Uvlhub.NewInstance(), TestContext.Current.CancellationToken,
            "--Uvlhub:Environment=Production", $"--Uvlhub:Version={Version}", "--Uvlhub:Gunicorn:Workers=2",
            "--Uvlhub:Tls:Email=owner@example.org", "--Uvlhub:Tls:Authority=pebble",
            "--Uvlhub:Deploy:Webhook=true");
    }

    // As diverso-lab's edition declares it: its script is mounted under another name.
    private static void AddWorker(SampleCheckout checkout)
    {
        var compose = checkout.File("docker/docker-compose.prod.yml");
        File.WriteAllText(compose, File.ReadAllText(compose).Replace("services:\n", """
            services:

              worker:
                container_name: rq_worker_container
                image: minihub:latest
                env_file:
                  - ../.env
                volumes:
                  - ./entrypoints/worker_entrypoint.sh:/app/entrypoint.sh
                command: [ "bash", "-c", "bash /app/entrypoint.sh" ]
                restart: always
                depends_on:
                  - db
                  - redis

              redis:
                container_name: redis_container
                image: redis:8.2.1
                restart: always

            """, StringComparison.Ordinal));
        File.WriteAllText(checkout.File("docker/entrypoints/worker_entrypoint.sh"), "set -e\nexec rq worker --url \"$REDIS_URL\" default\n");
    }

    public async ValueTask DisposeAsync()
    {
        if (_uvlhub is not null)
        {
            await _uvlhub.DisposeAsync();
        }

        await Uvlhub.RemoveImagesAsync(Checkout);
        Checkout.Dispose();
    }
}
