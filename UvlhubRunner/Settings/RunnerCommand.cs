namespace UvlhubAspire.Runner.Settings;

/// <summary>Command lines of the runner as a message shows them: complete, so that they can be pasted.</summary>
internal static class RunnerCommand
{
    /// <summary>A command line.</summary>
    /// <param name="settings">The settings that have to be repeated to reach the same database.</param>
    public static string Line(RunnerSettings settings, params string[] words)
    {
        if (settings.ToolboxContainer is null)
        {
            // In the image the program is installed and the settings are the container's.
            return ShellWords.Join(words.Prepend("UvlhubRunner"));
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

        return ShellWords.Join(line);
    }

    /// <summary>A command line for the checkout's own tools, in the container in which they are.</summary>
    public static string InToolbox(RunnerSettings settings, string command) =>
        settings.ToolboxContainer is { } container ? $"{settings.Engine.Executable} exec -it {container} {command}" : command;
}
