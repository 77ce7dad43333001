using System.Collections.Concurrent;
using System.Globalization;
using System.Text;
using Aspire.Hosting.Eventing;
using Aspire.Hosting.Lifecycle;
using Microsoft.Extensions.Hosting;

namespace UvlhubAspire.Hosting.Containers;

/// <summary>
/// Hands containers their secret variables in files that only this user can read. The orchestrator would write them, as
/// it does every variable, into the command line of the engine's client, where each user of the machine can see them, and
/// into what <c>aspire describe</c>, <c>aspire export</c> and the dashboard show of a container.
/// </summary>
/// <param name="notifications">Tells the dashboard which variables these are.</param>
/// <param name="looksSecret">Whether a variable's value must not be seen, by its name and its value.</param>
/// <param name="folder">Where the files lie: a folder for each AppHost, named by its process, because two of them, each with an
/// engine of its own, may have containers of the same names.</param>
internal sealed class SecretVariables(ResourceNotificationService notifications, LooksSecret looksSecret, string folder)
    : IDistributedApplicationEventingSubscriber, IHostedService
{
    /// <summary>The name, among a resource's details in the dashboard, of the list of variables that are kept from it.</summary>
    public const string Property = "Secret variables";

    /// <summary>The variable with the key that lets a program send telemetry to the dashboard.</summary>
    public const string TelemetryHeaders = "OTEL_EXPORTER_OTLP_HEADERS";

    // The engine's client reads such a file line by line, and takes no line longer than 64 KB.
    private const int LongestValue = 32 * 1024;

    private readonly string _own = Path.Combine(folder, Environment.ProcessId.ToString(CultureInfo.InvariantCulture));
    private readonly ConcurrentBag<string> _files = [];

    /// <summary>The folder of all runs.</summary>
    public static string Folder { get; } = UserFolder.Of("containers");

    /// <inheritdoc/>
    public Task SubscribeAsync(
        IDistributedApplicationEventing eventing, DistributedApplicationExecutionContext context, CancellationToken cancellationToken)
    {
        if (context.IsRunMode)
        {
            RemoveWhatIsLeftOver();
            // At the very end: nothing adds a variable after this.
            eventing.Subscribe<BeforeStartEvent>((start, _) =>
            {
                foreach (var container in start.Model.Resources.OfType<ContainerResource>())
                {
                    MoveToFiles(container, [.. start.Model.Resources.OfType<ParameterResource>().Where(parameter => parameter.Secret)]);
                }

                return Task.CompletedTask;
            });
        }

        return Task.CompletedTask;
    }

    /// <inheritdoc/>
    public Task StartAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    /// <summary>Removes the files.</summary>
    public Task StopAsync(CancellationToken cancellationToken)
    {
        // Whoever clears up the user's folders takes the files' folder, too, and that is no reason to end with an error.
        foreach (var file in _files.Where(File.Exists))
        {
            File.Delete(file);
        }

        return Task.CompletedTask;
    }

    /// <summary>Whether a variable's value must not be seen.</summary>
    /// <param name="name">The variable's name.</param>
    /// <param name="value">Its value, as far as it is known.</param>
    /// <param name="secrets">The values that are secret under whatever name: an address may have the password in it.</param>
    /// <param name="looksSecret">Whether it must not be seen by these two alone.</param>
    public static bool IsSecret(string name, string value, IEnumerable<string> secrets, LooksSecret looksSecret) =>
        value.Length > 0
        && (name == TelemetryHeaders || looksSecret(name, value)
            || secrets.Any(secret => secret.Length >= 8 && value.Contains(secret, StringComparison.Ordinal)));

    private void MoveToFiles(ContainerResource container, IReadOnlyList<ParameterResource> parameters)
    {
        var file = Path.Combine(_own, $"{container.ContainerName() ?? container.Name}.env");
        _files.Add(file);

        container.Annotations.Add(new ContainerRuntimeArgsCallbackAnnotation(arguments =>
        {
            // The orchestrator asks for the variables before or after this, but always before it asks the engine.
            if (!File.Exists(file))
            {
                Write(file, "");
            }

            arguments.Add("--env-file");
            arguments.Add(file);
        }));
        container.Annotations.Add(new EnvironmentCallbackAnnotation(async context =>
        {
            var values = new List<string>();
            foreach (var parameter in parameters)
            {
                values.Add(await parameter.GetValueAsync(context.CancellationToken) ?? "");
            }

            var (lines, names) = (new StringBuilder(), new List<string>());
            foreach (var (variable, given) in context.EnvironmentVariables.ToList())
            {
                var value = given switch
                {
                    string text => text,
                    ParameterResource parameter => await parameter.GetValueAsync(context.CancellationToken),
                    _ => null,
                };
                if (value is not null && IsSecret(variable, value, values, looksSecret) && value.Length <= LongestValue
                    && value.AsSpan().IndexOfAny('\n', '\r', '\0') < 0)
                {
                    lines.Append(variable).Append('=').Append(value).Append('\n');
                    names.Add(variable);
                    context.EnvironmentVariables.Remove(variable);
                }
            }

            Write(file, lines.ToString());
            await notifications.PublishUpdateAsync(container, snapshot => snapshot with
            {
                Properties =
                [
                    .. snapshot.Properties.Where(property => property.Name != Property),
                    new ResourcePropertySnapshot(Property, string.Join(", ", names.Order(StringComparer.Ordinal))),
                ],
            });
        }));
    }

    // An AppHost that was killed has not removed its files.
    private void RemoveWhatIsLeftOver()
    {
        if (!Directory.Exists(folder))
        {
            return;
        }

        foreach (var left in Directory.EnumerateDirectories(folder)
            .Where(left => !int.TryParse(Path.GetFileName(left), CultureInfo.InvariantCulture, out var process) || !RunningProcess.Is(process)))
        {
            try
            {
                Directory.Delete(left, recursive: true);
            }
            catch (DirectoryNotFoundException)
            {
                // Another AppHost that starts now was quicker.
            }
        }
    }

    private void Write(string file, string text)
    {
        if (OperatingSystem.IsWindows())
        {
            // The user's own folder is no one else's there.
            Directory.CreateDirectory(_own);
            File.WriteAllText(file, text);
            return;
        }

        Directory.CreateDirectory(_own, UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute);
        // A new one, because the mode of one that is there would stay.
        File.Delete(file);
        using var stream = new FileStream(file, PrivateFile.Options(FileMode.CreateNew));
        stream.Write(Encoding.UTF8.GetBytes(text));
    }
}

/// <summary>Says whether a variable's value must not be seen.</summary>
/// <param name="name">The variable's name.</param>
/// <param name="value">Its value, as far as it is known.</param>
public delegate bool LooksSecret(string name, string value);
