using System.Runtime.InteropServices;
using UvlhubAspire.AppHost.Uvlhub;
using UvlhubAspire.Checkout;
using UvlhubAspire.Engine;
using Xunit;

namespace UvlhubAspire.AppHost.Tests.Uvlhub;

public sealed class CheckoutComposeFilesTests : IDisposable
{
    private readonly TemporaryFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Theory]
    [InlineData(Edition.Course, 3, 4)]
    [InlineData(Edition.Splent, 6, 4)]
    [InlineData(Edition.Diverso, 10, 4)]
    public void Every_compose_file_of_each_edition_is_found(string name, int developmentServices, int files)
    {
        var edition = Edition.Load(name);
        edition.WriteCheckout(_folder);
        var found = CheckoutComposeFiles.Find(_folder.Path);

        Assert.Equal(Path.Combine(_folder.Path, "docker", "docker-compose.dev.yml"), found.Development);
        Assert.Equal(files, found.Others.Count + 1);
        Assert.Equal(
            edition.ComposeFiles.Select(file => Path.Combine(_folder.Path, "docker", file)).Order(StringComparer.Ordinal),
            found.Others.Append(found.Development!).Order(StringComparer.Ordinal));
        Assert.Equal(developmentServices, found.ReadDevelopment(UvlhubCheckout.Read(_folder.Path))!.Services.Count);
    }

    [Theory]
    [InlineData("docker/docker-compose.dev.yml", "docker/docker-compose.dev.yml", "docker/docker-compose.yml", "docker-compose.yml")]
    [InlineData("docker-compose.dev.yml", "docker-compose.dev.yml", "docker-compose.yml", "docker-compose.prod.yml")]
    [InlineData("docker-compose.yml", "docker-compose.yml", "docker-compose.prod.yml", "docker/docker-compose.yml")]
    [InlineData("compose.yaml", "compose.yaml", "docker-compose.yml")]
    [InlineData("docker/compose.yml", "docker/compose.yml", "docker-compose.prod.yml")]
    [InlineData(null, "docker-compose.prod.yml", "docker/nginx.yml")]
    public void The_development_file_is_found_among_the_others(string? development, params string[] files)
    {
        foreach (var file in files)
        {
            _folder.Write(file, "services: { web: { image: a } }");
        }

        Assert.Equal(
            development is null ? null : Path.Combine(_folder.Path, development), CheckoutComposeFiles.Find(_folder.Path).Development);
    }

    [Theory]
    [InlineData(Architecture.X64, "docker-compose.dev.yml", "docker-compose.dev-arm.yml", "docker-compose.dev.yml")]
    [InlineData(Architecture.Arm64, "docker-compose.dev-arm.yml", "docker-compose.dev-arm.yml", "docker-compose.dev.yml")]
    [InlineData(Architecture.X64, "docker-compose.dev.yml", "docker-compose.dev-gpu.yml", "docker-compose.dev.yml", "docker-compose.dev2.yml")]
    [InlineData(Architecture.X64, "docker-compose.dev-gpu.yml", "docker-compose.dev-gpu.yml", "docker-compose.yml")]
    [InlineData(Architecture.X64, "docker-compose.yml", "docker-compose.dev.m1.yml", "docker-compose.yml")]
    [InlineData(Architecture.Arm64, "compose.local.yaml", "compose.local-amd64.yaml", "compose.local.yaml")]
    [InlineData(Architecture.X64, "compose.development.yml", "compose.development.yml", "compose.devices.yml")]
    public void The_exact_name_comes_before_its_varieties_and_another_processors_file_never(
        Architecture processor, string development, params string[] files)
    {
        foreach (var file in files)
        {
            _folder.Write($"docker/{file}", "services: { web: { image: a } }");
        }

        Assert.Equal(
            Path.Combine(_folder.Path, "docker", development), CheckoutComposeFiles.Find(_folder.Path, processor: processor).Development);
    }

    [Fact]
    public void A_development_file_of_compose_s_own_name_brings_its_override_file()
    {
        _folder.Write("compose.yaml", "services: { web: { image: a } }");
        var over = _folder.Write("compose.override.yaml", "services: { web: { image: b } }");
        var found = CheckoutComposeFiles.Find(_folder.Path);
        Assert.Equal((over, 0), (found.Override, found.Others.Count));
    }

    [Fact]
    public void The_setting_names_another_development_file()
    {
        _folder.Write("docker-compose.yml", "services: { web: { image: a } }");
        var own = _folder.Write("ci/stack.yml", "services: { web: { image: a } }");
        Assert.Equal(own, CheckoutComposeFiles.Find(_folder.Path, "ci/stack.yml").Development);

        var exception = Assert.Throws<UserErrorException>(() => CheckoutComposeFiles.Find(_folder.Path, "gone.yml"));
        Assert.Contains("Uvlhub:ComposeFile", exception.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Variables_come_from_the_checkouts_settings()
    {
        Edition.Load("egc2526-v1.0.0").WriteCheckout(_folder);
        _folder.Write("docker/docker-compose.dev.yml", "services: { web: { image: \"${MARIADB_USER}\" } }");
        Assert.Equal(
            "uvlhubdb_user", CheckoutComposeFiles.Find(_folder.Path).ReadDevelopment(UvlhubCheckout.Read(_folder.Path))!.Services[0].Image);
    }
}
