namespace UvlhubAspire.Hosting.Containers;

/// <summary>What the commands' arguments have in common.</summary>
public static class CommandArguments
{
    /// <summary>An argument's value; <see langword="null"/> if it was left empty.</summary>
    public static string? Optional(this ExecuteCommandContext context, string name) =>
        context.Arguments.TryGetByName(name, out var input) && input.Value?.Trim() is { Length: > 0 } value ? value : null;

    /// <summary>The answer of a program that succeeded, shown at once.</summary>
    public static ExecuteCommandResult Answer(string message, string text) =>
        CommandResults.Success(message, text, CommandResultFormat.Text, displayImmediately: true);
}
