using UvlhubAspire.Runner;
using UvlhubAspire.Runner.Revisions;
using Xunit;

namespace UvlhubAspire.UvlhubRunner.Tests.Revisions;

/// <summary>A folder of revision files, gone after the test.</summary>
internal sealed class RevisionFolder : IDisposable
{
    private readonly TemporaryFolder _folder = new();

    public RevisionFolder() => Directory.CreateDirectory(Path);

    /// <summary>The folder of the checkout that it is part of.</summary>
    public string Checkout => _folder.Path;

    public string Path => System.IO.Path.Combine(_folder.Path, "migrations", "versions");

    public string Write(string file, string text) => _folder.Write($"migrations/versions/{file}", text);

    public string Write(string file, byte[] bytes)
    {
        var path = System.IO.Path.Combine(Path, file);
        File.WriteAllBytes(path, bytes);
        return path;
    }

    /// <summary>The history, without Python: nothing is left to Alembic.</summary>
    public RevisionGraph Read(string? folder = null)
    {
        var reading = new RevisionReader(
            folder ?? Path,
            (files, _) => throw new InvalidOperationException($"Alembic is asked of {string.Join(", ", files)}"))
            .ReadAsync(CancellationToken.None);
        return reading.IsCompleted ? reading.GetAwaiter().GetResult() : throw new InvalidOperationException("something is waited for");
    }

    public MigrationRefusedException Refusal(string? folder = null) => Assert.Throws<MigrationRefusedException>(() => Read(folder));

    public void Dispose() => _folder.Dispose();
}
