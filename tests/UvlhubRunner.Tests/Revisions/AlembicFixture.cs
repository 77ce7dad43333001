using Microsoft.Extensions.Logging.Abstractions;
using MySqlConnector;
using UvlhubAspire.Checkout;
using UvlhubAspire.Engine;
using UvlhubAspire.Runner.Revisions;
using UvlhubAspire.Runner.Settings;
using UvlhubAspire.UvlhubRunner.Tests.Runs;
using Xunit;

namespace UvlhubAspire.UvlhubRunner.Tests.Revisions;

/// <summary>A folder of revision files in a container with the real Alembic.</summary>
public sealed class AlembicFixture : IAsyncLifetime
{
    private Toolbox? _toolbox;

    internal RevisionFolder Folder { get; } = new();

    internal AlembicReader Alembic { get; private set; } = null!;

    /// <summary>Reads the folder as the runner does.</summary>
    internal Task<RevisionGraph> ReadAsync() =>
        new RevisionReader(Folder.Path, Alembic.ReadAsync).ReadAsync(TestContext.Current.CancellationToken);

    /// <summary>Takes away the files of the test before.</summary>
    internal void Clear()
    {
        foreach (var file in Directory.GetFiles(Folder.Path))
        {
            File.Delete(file);
        }
    }

    public async ValueTask InitializeAsync()
    {
        var name = $"uvlhub-alembic-tests-{System.Environment.ProcessId}";
        Folder.Write("../../app/__init__.py", "");
        // What a revision may import.
        Folder.Write("../ids.py", "revision = 'imported'\ndown_revision = 'b'\n");
        _toolbox = await Toolbox.StartAsync(name, Folder.Checkout, new Dictionary<string, string>(), CancellationToken.None);
        var settings = new RunnerSettings
        {
            Checkout = UvlhubCheckout.Inside(
                Folder.Checkout, new Dictionary<string, string>(), EnvironmentProfile.Of(null, EnvironmentProfile.Development)),
            Options = new UvlhubOptions(),
            Root = new MySqlConnectionStringBuilder(),
            Application = new MySqlConnectionStringBuilder(),
            Engine = new ContainerEngine("docker"),
            DatabaseContainer = null,
            ToolboxContainer = name,
            IsShell = false,
        };
        Alembic = new AlembicReader(
            settings, new Runner.Flask.Toolbox(settings, TimeProvider.System, NullLogger<Runner.Flask.Toolbox>.Instance));
    }

    public async ValueTask DisposeAsync()
    {
        if (_toolbox is not null)
        {
            await _toolbox.DisposeAsync();
        }

        Folder.Dispose();
    }
}
