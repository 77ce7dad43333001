using Aspire.Hosting.ApplicationModel;
using Xunit;

namespace UvlhubAspire.AppHost.Tests.Secrets;

/// <summary>What the network reaches, and where passwords come from. Nothing is started.</summary>
public sealed class ExposureTests
{
    [Fact]
    public async Task Nothing_listens_on_the_network_unless_a_setting_opens_nginx_and_then_nginx_alone()
    {
        await using var closed = await EditionModel.CreateAsync(Edition.Diverso);
        Assert.Equal([], Open(closed));

        await using var open = await EditionModel.CreateAsync(Edition.Diverso, change: null, "--Uvlhub:OpenTo=network");
        Assert.Equal(["nginx"], Open(open));

        static IEnumerable<string> Open(EditionModel model) => model.Containers.Where(container =>
            model.Container(container).Annotations.OfType<EndpointAnnotation>()
                .Any(endpoint => endpoint.TargetHost is not ("localhost" or "127.0.0.1")));
    }

    [Fact]
    public async Task Testing_leaves_no_volume_of_the_database_behind()
    {
        await using var model = await EditionModel.CreateAsync(Edition.Course, change: null, "--Uvlhub:Environment=Testing");
        Assert.DoesNotContain(
            model.Container("db").Annotations.OfType<ContainerMountAnnotation>(), mount => mount.Target == "/var/lib/mysql");
        Assert.Contains("--tmpfs", (await model.FactsAsync("db")).EngineOptions);
    }

    [Fact]
    public async Task A_password_that_the_checkout_does_not_give_is_generated_and_kept_in_the_users_secrets()
    {
        using var folder = new TemporaryFolder();
        Edition.Load(Edition.Course).WriteCheckout(folder);
        folder.Write(".env", "FLASK_ENV=development\nMARIADB_DATABASE=uvlhubdb\nMARIADB_USER=uvlhubdb_user\nMARIADB_ROOT_PASSWORD=given\n");
        await using var builder = await ModelOnly.CreateAsync($"--Uvlhub:Path={folder.Path}", "--Uvlhub:Services=-nginx");

        var (given, generated) = (Parameter("mariadb-root-password"), Parameter("mariadb-password"));
        Assert.True(given.Secret && generated.Secret);
        Assert.Equal("given", await given.GetValueAsync(TestContext.Current.CancellationToken));
        Assert.Null(given.Default);
        // Aspire's own; it has no public name.
        Assert.Equal("UserSecretsParameterDefault", generated.Default?.GetType().Name);

        ParameterResource Parameter(string name) =>
            builder.Resources.OfType<ParameterResource>().Single(parameter => parameter.Name == name);
    }
}
