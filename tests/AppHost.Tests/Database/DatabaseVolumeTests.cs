using Microsoft.Extensions.Logging.Abstractions;
using UvlhubAspire.AppHost.Database;
using UvlhubAspire.Engine;
using Xunit;

namespace UvlhubAspire.AppHost.Tests.Database;

/// <summary>A database's volume as it looks from outside, on the engine.</summary>
public sealed class DatabaseVolumeTests : IAsyncLifetime
{
    private static readonly ContainerEngine s_engine = new("docker");
    private readonly string _name = $"uvlhub-volume-tests-{Guid.NewGuid():N}";
    private string _image = "";

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    private DatabaseVolume Volume => new(s_engine, _name, _image);

    public async ValueTask InitializeAsync()
    {
        _image = await TestContainer.EnsureImageAsync("mariadb");
        await TestContainer.DockerAsync("volume", "create", _name);
        await Volume.MarkNewAsync(Cancellation);
    }

    public async ValueTask DisposeAsync()
    {
        await Volume.MarkUsedAsync("", CancellationToken.None);
        File.Delete(Path.Combine(UserFolder.Of("volumes"), $"{_name}.image"));
        foreach (var name in (string[])[_name, Volume.CopyName(new Version(12, 0))])
        {
            await s_engine.RunAsync(TimeSpan.FromMinutes(1), CancellationToken.None, "volume", "rm", "--force", name);
        }
    }

    [Fault(FaultArea.Database, "the first start of a volume was ended while the image's entrypoint made its files")]
    [Fact(Timeout = 120_000)]
    public async Task A_volume_that_never_became_a_database_is_made_anew()
    {
        // What the official image's entrypoint leaves: it then takes the volume for a database.
        await WriteAsync("mkdir mysql uvlhubdb && touch ibdata1 mysql/global_priv.frm mysql/innodb_index_stats.ibd");

        Assert.True(await Volume.RemoveIfNeverUsedAsync(NullLogger.Instance, Cancellation));

        await Proof.HappensAsync(
            "the volume is made anew at the next start", async () => Assert.False(await Volume.ExistsAsync(Cancellation)));
    }

    [Theory(Timeout = 120_000)]
    [InlineData(true, "mkdir mysql")]
    [InlineData(false, "mkdir mysql uvlhubdb && touch uvlhubdb/user.ibd")]
    public async Task One_that_was_a_database_or_has_a_table_is_never_touched(bool cameUp, string line)
    {
        await WriteAsync(line);
        if (cameUp)
        {
            await Volume.MarkUsedAsync("mariadb:12.0.2", Cancellation);
        }

        Assert.False(await Volume.RemoveIfNeverUsedAsync(NullLogger.Instance, Cancellation));
        Assert.True(await Volume.ExistsAsync(Cancellation));
    }

    [Fact(Timeout = 120_000)]
    public async Task Another_volume_of_the_same_name_is_not_the_one_that_was_never_used()
    {
        await TestContainer.DockerAsync("volume", "rm", _name);
        // The engine knows the second in which it made a volume.
        await Task.Delay(1100, Cancellation);
        await TestContainer.DockerAsync("volume", "create", _name);

        Assert.False(await Volume.RemoveIfNeverUsedAsync(NullLogger.Instance, Cancellation));
        Assert.True(await Volume.ExistsAsync(Cancellation));
    }

    [Fact(Timeout = 120_000)]
    public async Task Its_version_is_known_and_before_a_newer_server_comes_it_is_copied_whole()
    {
        Assert.Null(await Volume.VersionAsync(Cancellation));
        await WriteAsync("mkdir mysql && printf 11.8.9-MariaDB > mariadb_upgrade_info && touch -d 2020-01-01 mysql/old && chmod 600 mysql/old");
        Assert.Equal(new Version(11, 8), await Volume.VersionAsync(Cancellation));
        await Volume.MarkUsedAsync("stand-in", Cancellation);
        Assert.True(await Volume.WasUsedByAsync("stand-in", Cancellation));
        Assert.False(await Volume.WasUsedByAsync("mariadb:12.0.2", Cancellation));

        await Volume.CopyAsync(new Version(12, 0), NullLogger.Instance, Cancellation);

        Assert.True(await Volume.HasCopyAsync(new Version(12, 0), Cancellation));
        const string Listed = "find . -type f -printf '%p %s %m %T@\\n' | sort";
        Assert.Equal(await InAsync(_name, Listed), await InAsync(Volume.CopyName(new Version(12, 0)), Listed));
    }

    private Task<string> WriteAsync(string line) => InAsync(_name, line);

    private Task<string> InAsync(string volume, string line) => TestContainer.DockerAsync(
        "run", "--rm", "--network", "none", "--user", "0", "--volume", $"{volume}:/volume", "--workdir", "/volume", "--entrypoint", "sh",
        _image, "-c", line);
}
