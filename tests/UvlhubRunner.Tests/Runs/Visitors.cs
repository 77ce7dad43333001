using System.Collections.Concurrent;
using System.IO.Compression;
using System.Text;
using MySqlConnector;
using UvlhubAspire.Checkout;

namespace UvlhubAspire.UvlhubRunner.Tests.Runs;

/// <summary>
/// Writes rows into a site's database as the site does, without asking anybody: one over connections that it opens for each
/// row and that name no database, one over a connection that it keeps. Both keep what MariaDB has acknowledged.
/// </summary>
internal sealed class Visitors : IAsyncDisposable
{
    private const string Prefix = "visitor-";
    private readonly Minihub _minihub;
    private readonly ConcurrentQueue<(string Value, DateTimeOffset At)> _acknowledged = new();
    private readonly CancellationTokenSource _end = new();
    private readonly Task _writing;

    private Visitors(Minihub minihub)
    {
        _minihub = minihub;
        _writing = Task.WhenAll(Task.Run(() => WriteAsync(keepsConnection: false)), Task.Run(() => WriteAsync(keepsConnection: true)));
    }

    public static Visitors Start(Minihub minihub) => new(minihub);

    /// <summary>How many rows were acknowledged since a time. Default: all.</summary>
    public int Acknowledged(DateTimeOffset since = default) => _acknowledged.Count(write => write.At > since);

    /// <summary>Ends, and says which acknowledged rows are neither in the database nor in a complete snapshot.</summary>
    public async Task<IReadOnlyList<string>> EndAsync()
    {
        await _end.CancelAsync();
        await _writing;
        var found = await InDatabaseAsync();
        foreach (var file in Directory.EnumerateFiles(_minihub.Snapshots, "*.sql.gz"))
        {
            await using var unpacked = new GZipStream(File.OpenRead(file), CompressionMode.Decompress);
            using var reader = new StreamReader(unpacked, Encoding.Latin1);
            var text = await reader.ReadToEndAsync();
            found.UnionWith(_acknowledged.Select(write => write.Value).Where(value => text.Contains(value, StringComparison.Ordinal)));
        }

        return [.. _acknowledged.Select(write => write.Value).Except(found)];
    }

    /// <summary>Writes one row.</summary>
    public async Task<string> WriteAsync()
    {
        await using var connection = new MySqlConnection(ConnectionString);
        return await WriteAsync(connection);
    }

    public async ValueTask DisposeAsync()
    {
        await _end.CancelAsync();
        await _writing;
        _end.Dispose();
    }

    private string ConnectionString => _minihub.Database.ConnectionString(_minihub.Database.User, _minihub.Database.Password, database: "");

    private async Task<HashSet<string>> InDatabaseAsync()
    {
        var text = await _minihub.TextAsync(
            "SET SESSION group_concat_max_len = 10000000; "
            + $"SELECT COALESCE(GROUP_CONCAT(email), '') FROM user WHERE email LIKE '{Prefix}%'");
        return [.. text.Split(',')];
    }

    private async Task WriteAsync(bool keepsConnection)
    {
        MySqlConnection? connection = null;
        while (!_end.IsCancellationRequested)
        {
            try
            {
                connection ??= new MySqlConnection(ConnectionString);
                await WriteAsync(connection);
            }
            catch (MySqlException)
            {
                // Not acknowledged: a page that fails.
                await (connection?.DisposeAsync() ?? default);
                connection = null;
            }

            if (!keepsConnection)
            {
                await (connection?.DisposeAsync() ?? default);
                connection = null;
            }

            await Task.Delay(20);
        }

        await (connection?.DisposeAsync() ?? default);
    }

    private async Task<string> WriteAsync(MySqlConnection connection)
    {
        if (connection.State != System.Data.ConnectionState.Open)
        {
            await connection.OpenAsync();
        }

        var value = $"{Prefix}{Guid.NewGuid():n}@example.org";
        await using var insert = new MySqlCommand(
            $"INSERT INTO {MariaDBStatements.QuoteIdentifier(_minihub.Database.Name)}.user (email, password_hash, created_at) "
            + $"VALUES ('{value}', '', NOW())",
            connection);
        await insert.ExecuteNonQueryAsync();
        _acknowledged.Enqueue((value, DateTimeOffset.UtcNow));
        return value;
    }
}
