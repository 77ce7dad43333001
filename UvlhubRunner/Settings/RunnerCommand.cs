using UvlhubAspire.Checkout;

namespace UvlhubAspire.Runner.Settings;

/// <summary>Command lines of the runner as a message shows them: complete, so that they can be pasted.</summary>
internal static class RunnerCommand
{
    /// <summary>A command line.</summary>
    /// <param name="settings">The settings that have to be repeated to reach the same database.</param>
    /// <param name="words">The verb and its arguments.</param>
    public static string Line(RunnerSettings settings, params string[] words)
    {
        if (settings.ToolboxContainer is null)
        {
            // In the image the program is installed and the settings are the container's.
            return string.Join(' ', words.Prepend("UvlhubRunner").Select(Quote));
        }

        List<string> line = ["dotnet", "run", "--project", "UvlhubRunner", "--", .. words];
        if (settings.Options.Path is { Length: > 0 })
        {
            line.Add($"--{UvlhubOptions.Section}:{nameof(UvlhubOptions.Path)}={settings.Checkout.Path}");
        }

        if (settings.Options.Instance is { Length: > 0 } instance)
        {
            line.Add($"--{UvlhubOptions.Section}:{nameof(UvlhubOptions.Instance)}={instance}");
        }

        if (settings.Options.Environment is { Length: > 0 } environment)
        {
            line.Add($"--{UvlhubOptions.Section}:{nameof(UvlhubOptions.Environment)}={environment}");
        }

        return string.Join(' ', line.Select(Quote));
    }

    /// <summary>A command line for the checkout's own tools, in the container in which they are.</summary>
    /// <param name="settings">Where that is.</param>
    /// <param name="command">The command, as one types it.</param>
    public static string InToolbox(RunnerSettings settings, string command) =>
        settings.ToolboxContainer is { } container ? $"{settings.Engine.Executable} exec -it {container} {command}" : command;

    private static string Quote(string word) =>
        word.All(c => char.IsAsciiLetterOrDigit(c) || c is '-' or '_' or '.' or '/' or ':' or '=' or '+') && word.Length > 0
            ? word
            : $"'{word.Replace("'", "'\\''", StringComparison.Ordinal)}'";
}
