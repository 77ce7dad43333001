using UvlhubAspire.Checkout;

namespace UvlhubRunner.Settings;

/// <summary>Command lines of the runner as a message shows them: complete, so that they can be pasted.</summary>
internal static class RunnerCommand
{
    /// <summary>A command line.</summary>
    /// <param name="settings">The settings that have to be repeated to reach the same database.</param>
    /// <param name="words">The verb and its arguments.</param>
    public static string Line(RunnerSettings settings, params string[] words)
    {
        List<string> line = ["dotnet", "run", "--project", "UvlhubRunner", "--", .. words];
        if (settings.Options.Path is { Length: > 0 })
        {
            line.Add($"--{UvlhubOptions.Section}:{nameof(UvlhubOptions.Path)}={settings.Checkout.Path}");
        }

        if (settings.Options.Instance is { Length: > 0 } instance)
        {
            line.Add($"--{UvlhubOptions.Section}:{nameof(UvlhubOptions.Instance)}={instance}");
        }

        return string.Join(' ', line.Select(Quote));
    }

    private static string Quote(string word) =>
        word.All(c => char.IsAsciiLetterOrDigit(c) || c is '-' or '_' or '.' or '/' or ':' or '=' or '+') && word.Length > 0
            ? word
            : $"'{word.Replace("'", "'\\''", StringComparison.Ordinal)}'";
}
