namespace UvlhubAspire.Runner.Settings;

/// <summary>Command lines of the runner as a message shows them: complete, so that they can be pasted.</summary>
internal static class RunnerCommand
{
    /// <param name="settings">The settings that have to be repeated to reach the same database.</param>
    public static string Line(RunnerSettings settings, params string[] words)
    {
        if (settings.ToolboxContainer is null)
        {
            // In the image the program is installed and the settings are the container's.
            return ShellWords.Join(words.Prepend("UvlhubRunner"));
        }

        (string Name, string? Value)[] repeated =
        [
            (nameof(UvlhubOptions.Path), settings.Options.Path is { Length: > 0 } ? settings.Checkout.Path : null),
            (nameof(UvlhubOptions.Instance), settings.Options.Instance),
            (nameof(UvlhubOptions.Environment), settings.Options.Environment),
        ];
        IEnumerable<string> line =
        [
            "dotnet", "run", "--project", "UvlhubRunner", "--", .. words,
            .. repeated.Where(option => !string.IsNullOrEmpty(option.Value))
                .Select(option => $"--{UvlhubOptions.Section}:{option.Name}={option.Value}"),
        ];
        return ShellWords.Join(line);
    }

    /// <summary>A command line for the checkout's own tools, in the container in which they are.</summary>
    public static string InToolbox(RunnerSettings settings, string command) =>
        settings.ToolboxContainer is { } container ? $"{settings.Engine.Executable} exec -it {container} {command}" : command;
}
