using System.Globalization;

namespace UvlhubAspire.Bench;

/// <summary>What <c>/proc</c> tells of processes.</summary>
internal static class ProcessTree
{
    /// <summary>A process and all that it has started, with their command lines.</summary>
    public static IEnumerable<(int Id, string Command)> Of(int root)
    {
        var waiting = new Queue<int>([root]);
        while (waiting.TryDequeue(out var id))
        {
            if (Read($"/proc/{id}/cmdline") is not { } command)
            {
                continue;
            }

            yield return (id, command.Replace('\0', ' ').Trim());
            // Each thread has the processes that it started.
            foreach (var child in Threads(id).SelectMany(
                thread => (Read($"{thread}/children") ?? "").Split(' ', StringSplitOptions.RemoveEmptyEntries)))
            {
                waiting.Enqueue(int.Parse(child, CultureInfo.InvariantCulture));
            }
        }
    }

    /// <summary>Every process of the machine with its command line.</summary>
    public static IEnumerable<(int Id, string Command)> All() =>
        from folder in Directory.EnumerateDirectories("/proc")
        let name = Path.GetFileName(folder)
        where name.All(char.IsAsciiDigit)
        let command = Read($"{folder}/cmdline")
        where command is not null
        select (int.Parse(name, CultureInfo.InvariantCulture), command.Replace('\0', ' ').Trim());

    /// <summary>A variable of a process's environment.</summary>
    public static string? Variable(int id, string name) =>
        Read($"/proc/{id}/environ")?.Split('\0')
            .FirstOrDefault(pair => pair.StartsWith(name + '=', StringComparison.Ordinal))?[(name.Length + 1)..];

    /// <summary>Its memory in MiB; pages that it shares with others count in part.</summary>
    public static double Memory(int id) =>
        Read($"/proc/{id}/smaps_rollup")?.Split('\n').FirstOrDefault(line => line.StartsWith("Pss:", StringComparison.Ordinal)) is { } line
            ? double.Parse(line[4..].Trim().Split(' ')[0], CultureInfo.InvariantCulture) / 1024
            : 0;

    private static string[] Threads(int id)
    {
        try
        {
            return Directory.GetDirectories($"/proc/{id}/task");
        }
        catch (IOException)
        {
            return [];
        }
    }

    private static string? Read(string file)
    {
        try
        {
            return File.ReadAllText(file);
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException)
        {
            return null;
        }
    }
}

/// <summary>Watches which commands run in a container, without asking the container: an entrypoint script tells nobody
/// where it is.</summary>
internal sealed class ProcessWatch
{
    private static readonly (string Word, string Phase)[] s_phases =
    [
        ("db upgrade", "upgrade"), ("db migrate", "upgrade"), ("db init", "upgrade"), ("db:seed", "seed"), ("flask run", "Flask"), (
            "wait-for-db", "wait script"), ("init-testing-db", "test database"),
    ];

    private readonly Dictionary<string, (double First, double Last)> _seen = [];

    /// <summary>Looks until the token ends.</summary>
    /// <param name="root">The container's first process on the host.</param>
    /// <param name="seconds">The time since the start.</param>
    /// <param name="cancellationToken">Ends the watch.</param>
    public async Task RunAsync(int root, Func<double> seconds, CancellationToken cancellationToken)
    {
        while (!cancellationToken.IsCancellationRequested)
        {
            var now = seconds();
            var commands = ProcessTree.Of(root).Select(process => process.Command).ToList();
            if (s_phases.FirstOrDefault(
                phase => commands.Any(command => command.Contains(phase.Word, StringComparison.Ordinal))) is { Phase: { } name })
            {
                _seen[name] = (_seen.TryGetValue(name, out var seen) ? seen.First : now, now);
            }

            await Task.Delay(20, CancellationToken.None);
        }
    }

    /// <summary>The phases that were seen.</summary>
    public IEnumerable<Phase> Phases => _seen.Select(seen => new Phase(seen.Key, seen.Value.First, seen.Value.Last));
}
