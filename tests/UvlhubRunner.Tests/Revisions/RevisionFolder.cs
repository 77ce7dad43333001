using UvlhubAspire.Runner;
using UvlhubAspire.Runner.Revisions;
using Xunit;

namespace UvlhubAspire.UvlhubRunner.Tests.Revisions;

/// <summary>A folder of revision files, gone after the test.</summary>
internal sealed class RevisionFolder : IDisposable
{
    private readonly TemporaryFolder _folder = new();

    public string Path => System.IO.Path.Combine(_folder.Path, "versions");

    public RevisionFolder() => Directory.CreateDirectory(Path);

    public string Write(string file, string text) => _folder.Write($"versions/{file}", text);

    public string Write(string file, byte[] bytes)
    {
        var path = System.IO.Path.Combine(Path, file);
        File.WriteAllBytes(path, bytes);
        return path;
    }

    public RevisionGraph Read() => RevisionGraph.Read(Path);

    public MigrationRefusedException Refusal() => Assert.Throws<MigrationRefusedException>(() => Read());

    public void Dispose() => _folder.Dispose();
}
