using UvlhubAspire.Engine;
using Xunit;

namespace UvlhubAspire.Checkout.Tests;

public sealed class UvlhubCheckoutTests : IDisposable
{
    private readonly TemporaryFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Theory]
    [InlineData("egc2526-v1.0.0", "/app", 11)]
    [InlineData("egcetsii-main-2026-07", "/workspace", 11)]
    [InlineData("diverso-lab-v2.9", "/workspace", 24)]
    public void Each_edition_is_read_right(string edition, string workingDirectory, int keys)
    {
        var facts = Edition.Load(edition);
        facts.WriteCheckout(_folder);

        var checkout = UvlhubCheckout.Read(_folder.Path);

        Assert.Equal(workingDirectory, checkout.WorkingDirectory);
        Assert.Equal(facts.EnvironmentKeys, checkout.Environment.Keys);
        Assert.Equal(keys, checkout.Environment.Count);
        Assert.Equal(("uvlhubdb", "uvlhubdb_test", "uvlhubdb_user"), (checkout.Database, checkout.TestDatabase, checkout.DatabaseUser));
        Assert.Equal(["rosemary", "db:seed", "-y"], checkout.SeedCommand);
        Assert.Equal(
            facts.Revisions, Directory.GetFiles(checkout.RevisionsDirectory).Select(Path.GetFileName).Order(StringComparer.Ordinal));
        Assert.Equal(facts.BaseImages, checkout.DevelopmentDockerfile!.BaseImages);
    }

    [Fact]
    public void The_checkouts_own_env_wins_over_the_example()
    {
        Edition.Load("egc2526-v1.0.0").WriteCheckout(_folder);
        _folder.Write(".env", "MARIADB_DATABASE=mine\nDISCORD_TOKEN=unknown keys too\n");

        var checkout = UvlhubCheckout.Read(_folder.Path);

        Assert.Equal("mine", checkout.Database);
        Assert.Equal("mine_test", checkout.TestDatabase);
        Assert.Equal("unknown keys too", checkout.Environment["DISCORD_TOKEN"]);
        Assert.Null(checkout.DatabasePassword);
    }

    [Theory]
    [InlineData("exec gunicorn --bind 0.0.0.0:5000 app:app --log-level info\n", "app:app")]
    [InlineData("# gunicorn old:app\nexec gunicorn \\\r\n    --bind 0.0.0.0:80 \\\r\n    team.wsgi:application\r\n", "team.wsgi:application")]
    [InlineData("exec gunicorn 'app:create_app()'\n", "app:app")]
    public void What_gunicorn_serves_is_read_from_the_entrypoint(string entrypoint, string application)
    {
        Edition.Load("egc2526-v1.0.0").WriteCheckout(_folder);
        _folder.Write("docker/entrypoints/production_entrypoint.sh", entrypoint);

        Assert.Equal(application, UvlhubCheckout.Read(_folder.Path).WsgiApplication);
    }

    [Fact]
    public void Reading_writes_nothing_into_the_checkout()
    {
        Edition.Load("egc2526-v1.0.0").WriteCheckout(_folder);
        var before = Snapshot();
        UvlhubCheckout.Read(_folder.Path);
        Assert.Equal(before, Snapshot());

        List<string> Snapshot() => [.. Directory.GetFileSystemEntries(_folder.Path, "*", SearchOption.AllDirectories)
            .Select(entry => $"{entry} {File.GetLastWriteTimeUtc(entry):O}").Order(StringComparer.Ordinal)];
    }

    [Fault(FaultArea.Checkout, ".env is missing, and so is its example")]
    [Fact]
    public void A_folder_that_is_no_checkout_is_told_everything_that_it_lacks()
    {
        var exception = Assert.Throws<UserErrorException>(() => UvlhubCheckout.Read(_folder.Path));
        Proof.Happens("refused with everything that the folder lacks", () => Assert.Contains(
            "it lacks app/__init__.py (the Flask application); .env or .env.docker.example (its settings);"
            + " docker/images/Dockerfile.dev or docker/images/Dockerfile (its image).",
            exception.Message, StringComparison.Ordinal));
        Proof.Reads("is no uvlhub checkout", exception.Message);
    }

    [Fault(FaultArea.Checkout, ".env is missing, and its example is there")]
    [Fact]
    public void Without_an_env_its_example_counts()
    {
        Edition.Load(Edition.Course).WriteCheckout(_folder);
        var example = Path.Combine(_folder.Path, ".env.docker.example");
        Assert.False(File.Exists(Path.Combine(_folder.Path, ".env")));
        File.AppendAllText(example, "ONLY_IN=the example\n");

        var checkout = UvlhubCheckout.Read(_folder.Path);

        Proof.Happens(
            "the example counts",
            () => Assert.Equal((example, "the example"), (checkout.EnvironmentFile.Path, checkout.Environment["ONLY_IN"])));
    }

    [Fact]
    public void A_folder_that_does_not_exist_is_named()
    {
        var missing = Path.Combine(_folder.Path, "nowhere");
        Assert.Contains(missing, Assert.Throws<UserErrorException>(() => UvlhubCheckout.Read(missing)).Message, StringComparison.Ordinal);
    }

    [Fact]
    public void The_bundled_sample_is_a_checkout()
    {
        var checkout = UvlhubCheckout.Read(RepositoryFolder.BundledSample);
        Assert.Equal("minihub", checkout.Name);
        Assert.Equal("/app", checkout.WorkingDirectory);
        Assert.NotEmpty(checkout.SeedCommand);
    }
}
