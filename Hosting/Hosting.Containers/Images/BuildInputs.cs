using System.Security.Cryptography;
using System.Text;
using System.Text.Json;

namespace UvlhubAspire.Hosting.Containers;

/// <summary>
/// What an image is built from: its Dockerfile and the files that it copies. Where the running container has a folder mounted over
/// what was copied, a copied file counts only if the build itself uses it: a package's metadata, or a file that a <c>RUN</c> names.
/// </summary>
public static class BuildInputs
{
    // What package managers read of a folder that they are given.
    private static readonly HashSet<string> s_metadata = new(StringComparer.Ordinal)
    {
        "pyproject.toml", "setup.py", "setup.cfg", "Pipfile", "Pipfile.lock", "poetry.lock", "uv.lock", "pip.conf", "package.json",
        "package-lock.json", "yarn.lock", "pnpm-lock.yaml", ".npmrc",
    };

    private static readonly char[] s_separators = [' ', '\t', '=', ',', ';', '&', '|', '(', ')', '"', '\''];

    // A link may lead anywhere, also round in a circle; the builder takes the link itself.
    private static readonly EnumerationOptions s_noLinks = new() { AttributesToSkip = FileAttributes.ReparsePoint };

    private static readonly HashSet<string> s_ignored = new(StringComparer.Ordinal) { ".git", "__pycache__", "node_modules" };

    /// <summary>A digest that changes when what the image is built from does.</summary>
    /// <param name="dockerfile">The Dockerfile.</param>
    /// <param name="context">The folder that it copies from.</param>
    /// <param name="mountedOver">The folder of the image that a mount covers; <see langword="null"/> if none does.</param>
    public static string Digest(string dockerfile, string context, string? mountedOver)
    {
        using var hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        hash.AppendData(File.ReadAllBytes(dockerfile));
        foreach (var file in Files(File.ReadAllLines(dockerfile), context, mountedOver).Distinct().Order(StringComparer.Ordinal))
        {
            hash.AppendData(Encoding.UTF8.GetBytes(Path.GetRelativePath(context, file)));
            hash.AppendData(Content(file));
        }

        return Convert.ToHexStringLower(hash.GetHashAndReset())[..16];
    }

    // What cannot be read here cannot be sent to the builder either, which says so.
    private static byte[] Content(string file)
    {
        try
        {
            return File.ReadAllBytes(file);
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException)
        {
            return [];
        }
    }

    private static IEnumerable<string> Files(string[] lines, string context, string? mountedOver)
    {
        var instructions = Dockerfile.Instructions(lines).ToList();
        var lastStage = instructions.FindLastIndex(line => line.Instruction == "FROM");
        var folder = "/";
        foreach (var (index, (instruction, arguments)) in instructions.Index())
        {
            switch (instruction)
            {
                case "FROM":
                    folder = "/";
                    break;
                case "WORKDIR":
                    folder = Inside(folder, arguments.Trim('"'));
                    break;
                case "RUN":
                    // Also what 'RUN --mount=type=bind,source=…' names.
                    foreach (var path in arguments.Split(s_separators, StringSplitOptions.RemoveEmptyEntries)
                        .Select(word => At(context, word)).OfType<string>())
                    {
                        foreach (var file in Metadata(path))
                        {
                            yield return file;
                        }
                    }

                    break;
                case "COPY" or "ADD" when Words(arguments) is [.. var sources, var target]:
                    var isCovered = index > lastStage && mountedOver is not null
                        && $"{Inside(folder, target)}/".StartsWith($"{mountedOver.TrimEnd('/')}/", StringComparison.Ordinal);
                    foreach (var path in sources.SelectMany(source => Matches(context, source)))
                    {
                        foreach (var file in !isCovered ? All(path) : Directory.Exists(path) || IsMetadata(path) ? Metadata(path) : [])
                        {
                            yield return file;
                        }
                    }

                    break;
            }
        }
    }

    // The sources and the target; nothing for what comes from another stage or image.
    private static string[] Words(string arguments)
    {
        var words = arguments.Split(' ', StringSplitOptions.RemoveEmptyEntries);
        var paths = words.SkipWhile(word => word.StartsWith("--", StringComparison.Ordinal)).ToArray();
        if (words.Any(word => word.StartsWith("--from=", StringComparison.Ordinal)))
        {
            return [];
        }

        var list = string.Join(' ', paths);
        try
        {
            return list.StartsWith('[') ? JsonSerializer.Deserialize<string[]>(list) ?? [] : paths;
        }
        catch (JsonException)
        {
            return paths;
        }
    }

    private static string Inside(string folder, string path) =>
        Path.GetFullPath(path, folder.Length == 0 ? "/" : folder).TrimEnd('/');

    private static IEnumerable<string> Matches(string context, string source)
    {
        var relative = source.TrimStart('/');
        if (!relative.Contains('*', StringComparison.Ordinal) && !relative.Contains('?', StringComparison.Ordinal))
        {
            return At(context, relative) is { } path ? [path] : [];
        }

        var parent = Path.Combine(context, Path.GetDirectoryName(relative) ?? "");
        return Directory.Exists(parent) ? Directory.EnumerateFileSystemEntries(parent, Path.GetFileName(relative)) : [];
    }

    // What a word names in the context: a file or a folder; null for anything else, also beside the context.
    private static string? At(string context, string word)
    {
        var path = Path.GetFullPath(Path.Combine(context, word.TrimStart('/')));
        return path.StartsWith(context, StringComparison.Ordinal) && Path.Exists(path) ? path : null;
    }

    private static bool IsMetadata(string path) => s_metadata.Contains(Path.GetFileName(path))
        || (Path.GetFileName(path).Contains("requirements", StringComparison.Ordinal) && path.EndsWith(".txt", StringComparison.Ordinal));

    private static IEnumerable<string> Metadata(string path) =>
        File.Exists(path) ? [path] : Directory.EnumerateFiles(path, "*", s_noLinks).Where(IsMetadata);

    private static IEnumerable<string> All(string path) => File.Exists(path) ? [path]
        : Directory.EnumerateFiles(path, "*", s_noLinks).Where(file => !file.EndsWith(".log", StringComparison.Ordinal))
            .Concat(Directory.EnumerateDirectories(path, "*", s_noLinks)
                .Where(folder => !s_ignored.Contains(Path.GetFileName(folder))).SelectMany(All));
}
