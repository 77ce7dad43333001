namespace UvlhubAspire.Runner.Snapshots;

/// <summary>
/// The mark of a restore that has begun and not ended, in the database itself: without it, a database whose tables are
/// half loaded would look like any other, because <c>alembic_version</c> is among the first tables of a dump.
/// </summary>
internal static class UnfinishedRestore
{
    /// <summary>The snapshot whose restore has not ended; <see langword="null"/> if there is none.</summary>
    public static async Task<string?> ReadAsync(ContentReader reader, CancellationToken cancellationToken)
    {
        if (await reader.NumberAsync(
            "SELECT 1 FROM information_schema.TABLES WHERE TABLE_SCHEMA = @database AND TABLE_NAME = "
            + $"'{ContentReader.UnfinishedRestoreTable}'",
            cancellationToken) is null)
        {
            return null;
        }

        var names = await reader.RowsAsync(
            $"SELECT snapshot FROM {reader.Qualified(ContentReader.UnfinishedRestoreTable)}", cancellationToken);
        return names is [[string name]] ? name : "of an unknown name";
    }

    /// <summary>Sets the mark, in place of an earlier one.</summary>
    public static async Task MarkAsync(ContentReader reader, string snapshot, CancellationToken cancellationToken)
    {
        var table = reader.Qualified(ContentReader.UnfinishedRestoreTable);
        await reader.ExecuteAsync(
            $"CREATE OR REPLACE TABLE {table} (snapshot VARCHAR(255) NOT NULL) CHARACTER SET utf8mb4 AS SELECT "
            + $"{MariaDBStatements.QuoteText(snapshot)} AS snapshot",
            cancellationToken);
    }

    /// <summary>Takes the mark away.</summary>
    public static Task ClearAsync(ContentReader reader, CancellationToken cancellationToken) =>
        reader.ExecuteAsync($"DROP TABLE IF EXISTS {reader.Qualified(ContentReader.UnfinishedRestoreTable)}", cancellationToken);
}
