using Microsoft.Extensions.Logging;

namespace UvlhubAspire.AppHost.Database;

/// <summary>
/// The volume with the database, as it looks from outside while no server has it open: whether it ever was one, and which version wrote it.
/// </summary>
/// <param name="engine">The container engine.</param>
/// <param name="name">The volume's name.</param>
/// <param name="image">The image to look into the volume with; where it is not on this machine, nothing is seen.</param>
internal sealed partial class DatabaseVolume(ContainerEngine engine, string name, string? image)
{
    // Not the server's own, which has some before it is a database.
    private const string Tables = "cd /volume && find . -mindepth 2 -name '*.ibd' ! -path './mysql/*' ! -path './sys/*'";

    private static readonly TimeSpan s_look = TimeSpan.FromSeconds(30);
    private static readonly string[] s_run =
        ["run", "--rm", "--pull", "never", "--network", "none", "--user", "0", "--entrypoint"];

    private static readonly TimeSpan s_copy = TimeSpan.FromHours(1);

    /// <summary>The volume's name.</summary>
    public string Name => name;

    // The day on which a volume was made tells it from a later one of the same name, and from one of another engine.
    private string Mark => Path.Combine(UserFolder.Of("volumes"), $"{name}.new");

    private string ImageMark => Path.Combine(UserFolder.Of("volumes"), $"{name}.image");

    /// <summary>Whether a volume of this name, or one with a suffix, may never have been a database.</summary>
    public static bool IsAnyNew(string name) =>
        Directory.Exists(UserFolder.Of("volumes")) && Directory.EnumerateFiles(UserFolder.Of("volumes"), $"{name}*.new").Any();

    /// <summary>Notes that the volume has just been made and is no database yet.</summary>
    public async Task MarkNewAsync(CancellationToken cancellationToken)
    {
        Directory.CreateDirectory(Path.GetDirectoryName(Mark)!);
        await File.WriteAllTextAsync(Mark, await MadeAsync(cancellationToken) ?? "", cancellationToken);
    }

    /// <summary>Notes that a server has come up on it: from now on nothing here makes it anew.</summary>
    /// <param name="server">The server's image.</param>
    /// <param name="cancellationToken">Ends it.</param>
    public async Task MarkUsedAsync(string server, CancellationToken cancellationToken)
    {
        File.Delete(Mark);
        Directory.CreateDirectory(Path.GetDirectoryName(ImageMark)!);
        await File.WriteAllLinesAsync(ImageMark, [await MadeAsync(cancellationToken) ?? "", server], cancellationToken);
    }

    /// <summary>Whether the last server that came up on it was of this image.</summary>
    public async Task<bool> WasUsedByAsync(string server, CancellationToken cancellationToken) =>
        File.Exists(ImageMark) && await File.ReadAllLinesAsync(ImageMark, cancellationToken) is [var made, var last]
        && last == server && made == await MadeAsync(cancellationToken);

    /// <summary>
    /// Whether no server ever came up on it: the first start was ended while the files were being made, and the image's entrypoint takes
    /// what is there for a database. Where any table is in it, beside the server's own, it is one.
    /// </summary>
    public async Task<bool> WasNeverUsedAsync(CancellationToken cancellationToken) =>
        File.Exists(Mark) && await MadeAsync(cancellationToken) is { } made
        && await File.ReadAllTextAsync(Mark, cancellationToken) == made
        && await LookAsync(Tables, cancellationToken) is "";

    /// <summary>Removes the volume if no server ever came up on it.</summary>
    /// <returns>Whether it was removed.</returns>
    public async Task<bool> RemoveIfNeverUsedAsync(ILogger logger, CancellationToken cancellationToken)
    {
        if (!await WasNeverUsedAsync(cancellationToken))
        {
            return false;
        }

        var removed = await engine.RunAsync(s_look, cancellationToken, "volume", "rm", name);
        if (removed.Succeeded)
        {
            LogNeverUsed(logger, name);
        }

        return removed.Succeeded;
    }

    /// <summary>Whether there is such a volume.</summary>
    public async Task<bool> ExistsAsync(CancellationToken cancellationToken) => await MadeAsync(cancellationToken) is not null;

    /// <summary>The version of the server that wrote the volume, such as 11.8; <see langword="null"/> if it holds no database.</summary>
    public async Task<Version?> VersionAsync(CancellationToken cancellationToken) =>
        await MadeAsync(cancellationToken) is not null
        && await LookAsync("cat /volume/mariadb_upgrade_info 2>/dev/null", cancellationToken) is { } written
            ? Parse(written)
            : null;

    /// <summary>The first two numbers of a version; <see langword="null"/> if there are none.</summary>
    public static Version? Parse(string text) =>
        Version.TryParse(string.Join('.', text.Split('-')[0].Split('.').Take(2)), out var version) ? version : null;

    /// <summary>What the copy is called that is made before a newer server opens the volume.</summary>
    public string CopyName(Version version) => $"{name}_before_{version}";

    /// <summary>Whether there is such a copy, and so whether the newer server has been let in.</summary>
    public async Task<bool> HasCopyAsync(Version version, CancellationToken cancellationToken) =>
        (await engine.InspectAsync("volume", CopyName(version), cancellationToken)).Found is not null;

    /// <summary>Copies the volume, file by file, under the name that says before which version.</summary>
    /// <exception cref="UserErrorException">It could not be copied; there is no copy then.</exception>
    public async Task CopyAsync(Version version, ILogger logger, CancellationToken cancellationToken)
    {
        var copy = CopyName(version);
        var copied = await engine.RunAsync(
            s_copy, cancellationToken, [.. s_run, "cp", "--volume", $"{name}:/from:ro", "--volume", $"{copy}:/to", image!, "--archive",
            "/from/.", "/to/"]);
        if (!copied.Succeeded)
        {
            await engine.RunAsync(s_look, CancellationToken.None, "volume", "rm", "--force", copy);
            throw new UserErrorException($"the volume {name} could not be copied before MariaDB {version} opens it: {copied.Error}");
        }

        LogCopied(logger, name, copy, version);
    }

    private async Task<string?> MadeAsync(CancellationToken cancellationToken) =>
        (await engine.InspectAsync("volume", name, cancellationToken)).Found?.CreatedAt;

    private async Task<string?> LookAsync(string script, CancellationToken cancellationToken)
    {
        if (image is null)
        {
            return null;
        }

        var looked = await engine.RunAsync(
            s_look, cancellationToken, [.. s_run, "sh", "--volume", $"{name}:/volume:ro", image, "-c", script]);
        return looked.Succeeded ? looked.Output : null;
    }

    [LoggerMessage(EventId = 340, Level = LogLevel.Warning, Message = "The volume {Volume} never became a database: its first start was "
        + "ended while its files were being made. Nothing was in it, and it is made anew")]
    private static partial void LogNeverUsed(ILogger logger, string volume);

    [LoggerMessage(EventId = 341, Level = LogLevel.Warning, Message = "The volume {Volume} was copied to {Copy} before MariaDB {Version} "
        + "opens it; the older server can go back to that one, and to no other")]
    private static partial void LogCopied(ILogger logger, string volume, string copy, Version version);
}
