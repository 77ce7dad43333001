using Microsoft.Extensions.DependencyInjection;

namespace UvlhubAspire.Hosting.Containers;

/// <summary>A terminal in a running container: the tutorial's <c>docker exec -it … bash</c>.</summary>
public static class ShellCommands
{
    /// <summary>Adds <c>shell</c>.</summary>
    /// <typeparam name="T">The kind of container.</typeparam>
    /// <param name="builder">The container.</param>
    /// <param name="title">The command's title. Default: Open shell.</param>
    /// <param name="words">What runs in the terminal. Default: <c>bash</c>, or <c>sh</c> where there is none.</param>
    /// <returns>The same builder.</returns>
    public static IResourceBuilder<T> WithShellCommand<T>(
        this IResourceBuilder<T> builder, string title = "Open shell", params string[] words)
        where T : ContainerResource =>
        builder.WithCommand(
            "shell",
            title,
            context =>
                Task.FromResult(
                    Open(
                        builder.Resource, words.Length > 0 ? words : ["sh", "-c", "command -v bash >/dev/null && exec bash || exec sh"],
                        context)),
            new CommandOptions
            {
                Description = "A terminal in the container",
                IconName = "WindowConsole",
                UpdateState = state =>
                    state.ResourceSnapshot.State?.Text == KnownResourceStates.Running
                    ? ResourceCommandState.Enabled
                    : ResourceCommandState.Disabled,
            });

    private static ExecuteCommandResult Open(ContainerResource resource, IReadOnlyList<string> words, ExecuteCommandContext context)
    {
        var engine = context.Services.GetRequiredService<ContainerEngine>();
        var container = resource.ContainerName()!;
        var line = $"{engine.Executable} exec -it {container} {ShellWords.Join(words)}";

        return CreateTerminal(resource, engine, [.. new[] { "exec", "-it", container }, .. words], context.Services) is { } problem
            ? CommandArguments.Answer(
                "shell: this dashboard has no terminal; the same in yours:", $"{line}{Environment.NewLine}({problem})")
            : CommandArguments.Answer("shell: opened in the dashboard; the same in your own terminal:", line);
    }

    // Terminals are new and experimental in Aspire 13.6: whatever becomes of them, the line to type remains.
#pragma warning disable ASPIRETERMINAL001
    private static string? CreateTerminal(
        ContainerResource resource, ContainerEngine engine, IReadOnlyList<string> arguments, IServiceProvider services)
    {
        try
        {
            if (services.GetService<TerminalService>() is not { } terminals)
            {
                return "this version of Aspire has none";
            }

            var terminal = terminals.CreateTerminal(new TerminalLaunchOptions
            {
                Title = resource.Name,
                Executable = engine.Executable,
                Arguments = [.. arguments],
                Columns = 120,
                Rows = 30,
            });
            terminal.Show();
            return null;
        }
        catch (Exception exception)
        {
            return exception.Message;
        }
    }
#pragma warning restore ASPIRETERMINAL001
}
