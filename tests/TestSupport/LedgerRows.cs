using System.IO.Compression;
using System.Text;
using System.Text.RegularExpressions;
using MySqlConnector;

namespace UvlhubAspire.TestSupport;

/// <summary>Finds what a ledger has written, by the beginning that all its values have.</summary>
internal static class LedgerRows
{
    private const string AtDomain = "@example.org";
    private const string SnapshotEnding = ".sql.gz";

    // As the migrator ends each snapshot: one without it cannot be restored, so nothing is safe in it.
    private const string LastLine = "-- UvlhubRunner: snapshot completed";

    private static readonly (string Table, string Column)[] s_places = [("user", "email"), ("feature_model", "title")];

    /// <summary>The e-mail address of the account that has this value.</summary>
    public static string Address(string value) => value + AtDomain;

    /// <summary>Runs statements over a connection of its own.</summary>
    public static Func<string, CancellationToken, Task<string>> Of(string connectionString) => async (sql, cancellationToken) =>
    {
        // Pooled, a connection might be one to a server that is gone.
        var settings = new MySqlConnectionStringBuilder(connectionString) { Pooling = false };
        await using var connection = new MySqlConnection(settings.ConnectionString);
        await connection.OpenAsync(cancellationToken);
        await using var command = new MySqlCommand(sql, connection);
        await using var reader = await command.ExecuteReaderAsync(cancellationToken);
        var lines = new StringBuilder();
        while (await reader.ReadAsync(cancellationToken))
        {
            lines.Append(reader.GetString(0)).Append('\n');
        }

        return lines.ToString();
    };

    /// <summary>How many rows each value has. A table that is not there has none: the database may have been emptied.</summary>
    public static async Task<IReadOnlyDictionary<string, int>> InDatabaseAsync(
        Func<string, CancellationToken, Task<string>> query, string prefix, CancellationToken cancellationToken)
    {
        var tables = Lines(await query(
            "SELECT TABLE_NAME FROM information_schema.TABLES WHERE TABLE_SCHEMA = DATABASE()", cancellationToken));
        var values = new List<string>();
        foreach (var (table, column) in s_places.Where(place => tables.Contains(place.Table, StringComparer.Ordinal)))
        {
            values.AddRange(Lines(await query($"SELECT {column} FROM {table} WHERE {column} LIKE '{prefix}%'", cancellationToken)));
        }

        return values.CountBy(value => value.Replace(AtDomain, "", StringComparison.Ordinal)).ToDictionary(StringComparer.Ordinal);
    }

    /// <summary>The values that are in each snapshot of a folder, by its name.</summary>
    /// <remarks>The dump is read, not loaded: the whole value stands in it as a text in quotes, and nothing else looks like it.</remarks>
    public static async Task<IReadOnlyList<(string Name, IReadOnlySet<string> Values)>> InSnapshotsAsync(
        string folder, string prefix, CancellationToken cancellationToken)
    {
        List<(string, IReadOnlySet<string>)> snapshots = [];
        var files = Directory.EnumerateFiles(folder, $"*{SnapshotEnding}", SearchOption.AllDirectories);
        foreach (var file in files.Order(StringComparer.Ordinal))
        {
            var name = Path.GetFileName(file)[..^SnapshotEnding.Length];
            // Without its description the migrator does not know it.
            if (File.Exists(Path.Combine(Path.GetDirectoryName(file)!, $"{name}.json")))
            {
                snapshots.Add((name, await ValuesAsync(file, prefix, cancellationToken)));
            }
        }

        return snapshots;
    }

    private static async Task<IReadOnlySet<string>> ValuesAsync(string file, string prefix, CancellationToken cancellationToken)
    {
        var literal = new Regex($"'({prefix}[0-9a-f]{{32}})(?:{Regex.Escape(AtDomain)})?'");
        var values = new HashSet<string>(StringComparer.Ordinal);
        await using var stream = new GZipStream(File.OpenRead(file), CompressionMode.Decompress);
        // Any byte is a character of this encoding, and the values are ASCII.
        using var reader = new StreamReader(stream, Encoding.Latin1);
        var last = "";
        while (await reader.ReadLineAsync(cancellationToken) is { } line)
        {
            values.UnionWith(literal.Matches(line).Select(match => match.Groups[1].Value));
            last = line;
        }

        return last == LastLine
            ? values
            : throw new InvalidDataException($"{file} does not end with '{LastLine}', so it is no whole snapshot");
    }

    private static string[] Lines(string text) => text.Split('\n', StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries);
}
