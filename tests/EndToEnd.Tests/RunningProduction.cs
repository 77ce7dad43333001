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
        await File.AppendAllTextAsync(Checkout.File(".env"), $"\nWEBHOOK_TOKEN={WebhookToken}\n");
        _uvlhub = await Uvlhub.StartHealthyAsync(
            Checkout.Path, Uvlhub.NewInstance(), TestContext.Current.CancellationToken,
            "--Uvlhub:Environment=Production", $"--Uvlhub:Version={Version}", "--Uvlhub:Gunicorn:Workers=2",
            "--Uvlhub:Tls:Email=owner@example.org", "--Uvlhub:Tls:Authority=pebble",
            "--Uvlhub:Deploy:Webhook=true");
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
