using UvlhubAspire.UvlhubRunner.Tests;
using Xunit;

[assembly: AssemblyFixture(typeof(MariaDBFixture))]

namespace UvlhubAspire.UvlhubRunner.Tests;

/// <summary>
/// One MariaDB for all tests that do not harm the server. It starts with the first test that asks for it; a test that
/// kills or reconfigures a server starts one of its own (<see cref="MariaDBServer.StartAsync(CancellationToken, string[])"/>).
/// </summary>
public sealed class MariaDBFixture : IAsyncDisposable
{
    private readonly SemaphoreSlim _gate = new(1);
    private MariaDBServer? _server;

    /// <summary>The shared server.</summary>
    public async Task<MariaDBServer> GetServerAsync(CancellationToken cancellationToken)
    {
        await _gate.WaitAsync(cancellationToken);
        try
        {
            return _server ??= await MariaDBServer.StartAsync(cancellationToken);
        }
        finally
        {
            _gate.Release();
        }
    }

    /// <summary>A fresh database on the shared server, with a user of its own.</summary>
    /// <param name="name">The database's name. Default: a new one.</param>
    /// <param name="user">The user's name. Default: a new one.</param>
    public async Task<TestDatabase> CreateDatabaseAsync(CancellationToken cancellationToken, string? name = null, string? user = null) =>
        await (await GetServerAsync(cancellationToken)).CreateDatabaseAsync(cancellationToken, name, user);

    public async ValueTask DisposeAsync()
    {
        if (_server is not null)
        {
            await _server.DisposeAsync();
        }

        _gate.Dispose();
    }
}
