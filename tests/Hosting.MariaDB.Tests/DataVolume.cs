namespace UvlhubAspire.Hosting.MariaDB.Tests;

/// <summary>A volume that is gone after the test.</summary>
public sealed class DataVolume : IAsyncDisposable
{
    public string Name { get; } = $"mariadb-tests-{Guid.NewGuid():N}";

    public async ValueTask DisposeAsync() => await TestContainer.DockerAsync("volume", "rm", "--force", Name);
}
