using CliWrap;
using CliWrap.Buffered;
using Xunit;

namespace UvlhubAspire.UvlhubRunner.Tests.Runs;

/// <summary>What users have uploaded goes with the snapshots that a person makes.</summary>
public sealed class UploadsTests(MariaDBFixture fixture)
{
    private const string Archives = "*.uploads.tar.gz";

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    [Fault(FaultArea.Migration, "uploaded files are lost or changed after a backup")]
    [Fact(Timeout = 120_000)]
    public async Task A_restore_puts_back_what_was_uploaded_and_sets_aside_what_is_there()
    {
        await using var minihub = await Minihub.CreateAsync(fixture);
        await minihub.ExecuteAsync("CREATE TABLE t (id INT PRIMARY KEY)");
        var uploads = Directory.CreateDirectory(Path.Combine(minihub.Checkout, "uploads", "user_1")).Parent!.FullName;
        await WriteAsync(uploads, "user_1/Ñ model.uvl", "first");
        await WriteAsync(uploads, "gone.uvl", "gone");
        var before = await ReadAsync(uploads);

        var backup = (await minihub.SucceedAsync("backup")).Answer.Trim();
        await WriteAsync(uploads, "user_1/Ñ model.uvl", "second");
        await WriteAsync(uploads, "new.uvl", "new");
        File.Delete(Path.Combine(uploads, "gone.uvl"));
        var after = await ReadAsync(uploads);
        var result = await minihub.SucceedAsync("restore", backup);

        await Proof.DataAsync(
            "'restore' puts back the files of 'backup', compared byte by byte", async () => Assert.Equal(before, await ReadAsync(uploads)));
        Proof.Reads("is set aside in", result.Output);
        var aside = Assert.Single(
            Directory.GetFiles(minihub.Snapshots, Archives), file => !file.Contains(backup, StringComparison.Ordinal));
        Assert.Contains($"is set aside in {aside}", result.Output, StringComparison.Ordinal);
        using var kept = new TemporaryFolder();
        await Cli.Wrap("tar").WithArguments(["--extract", "--file", aside, "--directory", kept.Path]).ExecuteBufferedAsync(Cancellation);
        await Proof.HappensAsync(
            "what was there is set aside in the file that is named, compared in the same way",
            async () => Assert.Equal(after, await ReadAsync(kept.Path)));
        Assert.True(
            OperatingSystem.IsWindows() || File.GetUnixFileMode(aside) == (UnixFileMode.UserRead | UnixFileMode.UserWrite),
            "others may read what users have uploaded");
    }

    [Fact(Timeout = 120_000)]
    public async Task A_damaged_archive_of_uploads_is_refused_before_anything_is_touched()
    {
        await using var minihub = await Minihub.CreateAsync(fixture);
        await minihub.ExecuteAsync("CREATE TABLE t (id INT PRIMARY KEY)");
        var uploads = Directory.CreateDirectory(Path.Combine(minihub.Checkout, "uploads")).FullName;
        await WriteAsync(uploads, "a.uvl", new string('a', 100_000));
        var backup = (await minihub.SucceedAsync("backup")).Answer.Trim();
        var archive = Path.Combine(minihub.Snapshots, $"{backup}.uploads.tar.gz");
        var bytes = await File.ReadAllBytesAsync(archive, Cancellation);
        await File.WriteAllBytesAsync(archive, bytes[..(bytes.Length / 2)], Cancellation);
        await minihub.ExecuteAsync("INSERT INTO t VALUES (1)");
        var (content, files) = (await minihub.ContentAsync(), await ReadAsync(uploads));

        var result = await minihub.RunAsync("restore", backup);

        Assert.Equal(3, result.ExitCode);
        Assert.Contains($"{archive} cannot be read, so nothing was changed", result.Output, StringComparison.Ordinal);
        Assert.Equal(content, await minihub.ContentAsync());
        Assert.Equal(files, await ReadAsync(uploads));
    }

    [Fact(Timeout = 120_000)]
    public async Task A_checkout_without_uploads_has_none_in_its_snapshots_and_gets_none()
    {
        await using var minihub = await Minihub.CreateAsync(fixture);
        await minihub.ExecuteAsync("CREATE TABLE t (id INT PRIMARY KEY)");
        var uploads = Path.Combine(minihub.Checkout, "uploads");
        Assert.False(Directory.Exists(uploads));

        var backup = (await minihub.SucceedAsync("backup")).Answer.Trim();
        await minihub.SucceedAsync("restore", backup);

        Assert.Empty(Directory.GetFiles(minihub.Snapshots, Archives));
        Assert.False(Directory.Exists(uploads));
        // What came since then is not of that day, and stays.
        Directory.CreateDirectory(uploads);
        await WriteAsync(uploads, "a.uvl", "a");
        await minihub.SucceedAsync("restore", backup);
        Assert.Equal(["a.uvl: a"], await ReadAsync(uploads));
    }

    [Theory(Timeout = 120_000)]
    [InlineData(".")]
    [InlineData("..")]
    [InlineData("/app")]
    [InlineData("app/..")]
    public async Task A_folder_with_the_code_in_it_is_no_folder_of_uploads(string folder)
    {
        await using var minihub = await Minihub.CreateAsync(fixture);
        await minihub.ExecuteAsync("CREATE TABLE t (id INT PRIMARY KEY)");
        await File.AppendAllTextAsync(Path.Combine(minihub.Checkout, ".env"), $"UPLOADS_DIR={folder}\n", Cancellation);
        var before = await ReadAsync(minihub.Checkout);

        var backup = (await minihub.SucceedAsync("backup")).Answer.Trim();
        await minihub.SucceedAsync("restore", backup);

        Assert.Empty(Directory.GetFiles(minihub.Snapshots, Archives));
        Assert.Equal(before, await ReadAsync(minihub.Checkout));
    }

    private static Task WriteAsync(string folder, string name, string text) =>
        File.WriteAllTextAsync(Path.Combine(folder, name), text, Cancellation);

    private static async Task<IReadOnlyList<string>> ReadAsync(string folder)
    {
        List<string> files = [];
        foreach (var file in Directory.EnumerateFiles(folder, "*", SearchOption.AllDirectories).Order(StringComparer.Ordinal))
        {
            files.Add($"{Path.GetRelativePath(folder, file)}: {await File.ReadAllTextAsync(file, Cancellation)}");
        }

        return files;
    }
}
