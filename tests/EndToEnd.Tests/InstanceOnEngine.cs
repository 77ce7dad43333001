using System.Globalization;
using UvlhubAspire.Checkout;
using UvlhubAspire.Engine;
using Xunit;

namespace UvlhubAspire.EndToEnd.Tests;

/// <summary>
/// What an instance has on the engine, whoever started it. A command of the engine's that fails is an error here: that
/// nothing was printed does not say that nothing is there.
/// </summary>
/// <param name="instance">The instance's name.</param>
internal sealed class InstanceOnEngine(string instance)
{
    /// <summary>The database's container, without the instance's name.</summary>
    public const string Database = "mariadb_container";

    /// <summary>The site's.</summary>
    public const string Site = "web_app_container";

    private const string Dump = """
        MYSQL_PWD="$MARIADB_ROOT_PASSWORD" exec mariadb-dump -uroot --skip-comments --skip-dump-date --order-by-primary uvlhubdb
        """;
    private const string Tables = """
        MYSQL_PWD="$MARIADB_ROOT_PASSWORD" exec mariadb -uroot --skip-column-names -e "
            SELECT CONCAT(table_schema, '.', table_name) FROM information_schema.tables WHERE table_schema LIKE 'uvlhubdb%' ORDER BY 1"
        """;

    private static readonly TimeSpan s_limit = TimeSpan.FromSeconds(30);

    // What starts at all starts within a second or two of what it waits for.
    private static readonly TimeSpan s_grace = TimeSpan.FromSeconds(10);

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    /// <summary>The names that its containers and its network have.</summary>
    public InstanceNames Names { get; } = new(instance);

    /// <summary>Names and ids of its containers.</summary>
    public async Task<IReadOnlyDictionary<string, string>> ContainersAsync() =>
        (await ListAsync("container", "ls", "--all", "--no-trunc", "--format", "{{.Names}} {{.ID}}"))
            .Select(line => line.Split(' ')).ToDictionary(parts => parts[0], parts => parts[1], StringComparer.Ordinal);

    /// <summary>The names of those that run.</summary>
    public async Task<IReadOnlyList<string>> RunningAsync() => await ListAsync("container", "ls", "--format", "{{.Names}}");

    /// <summary>The names of its containers, when there was time for one that should not come.</summary>
    public async Task<IEnumerable<string>> ContainersAfterGraceAsync()
    {
        await Task.Delay(s_grace, Cancellation);
        return (await ContainersAsync()).Keys;
    }

    /// <summary>Its containers and networks, which do not outlive a run.</summary>
    public async Task<IReadOnlyList<string>> OfARunAsync() =>
    [
        .. await ListAsync("container", "ls", "--all", "--format", "container {{.Names}}"),
        .. await ListAsync("network", "ls", "--format", "network {{.Name}}"),
    ];

    /// <summary>All that it has: containers, networks and volumes.</summary>
    public async Task<IReadOnlyList<string>> EverythingAsync() =>
        [.. await OfARunAsync(), .. await ListAsync("volume", "ls", "--format", "volume {{.Name}}")];

    /// <summary>Claims of a start that was refused that it has made nothing.</summary>
    public static Task NothingWasMadeAsync(string instance) => Proof.HappensAsync(
        "no container, network or volume was made", async () => Assert.Empty(await new InstanceOnEngine(instance).EverythingAsync()));

    /// <summary>Every row of the database, as text.</summary>
    public Task<string> RowsAsync() => InsideAsync(Database, "sh", "-c", Dump);

    /// <summary>The tables of the site's databases, as soon as the server answers; it may just be starting.</summary>
    public async Task<string> TablesAsync()
    {
        var answer = await Eventually.IsAsync(
            () => ExecuteAsync(Database, ["sh", "-c", Tables]), result => result.Succeeded, what: "a server that lists its tables");
        return answer.Output;
    }

    /// <summary>Waits until the server executes a statement; it may not be there yet.</summary>
    public Task ExecutesAsync(string statement) => Eventually.IsAsync(
        () => ExecuteAsync(
            Database,
            ["sh", "-c", """MYSQL_PWD="$MARIADB_ROOT_PASSWORD" exec mariadb -uroot --skip-column-names -e 'SHOW FULL PROCESSLIST'"""]),
        result => result.Output.Contains(statement, StringComparison.Ordinal),
        what: $"'{statement}' under way");

    /// <summary>Kills a container's process from the host, as a crash does: the engine was not asked.</summary>
    /// <param name="container">The container's name without the instance's.</param>
    public async Task CrashAsync(string container)
    {
        var id = await Uvlhub.EngineAsync(
            s_limit, Cancellation, "container", "inspect", "--format", "{{.State.Pid}}", $"{instance}_{container}");
        LoneAppHost.Crash(int.Parse(id, CultureInfo.InvariantCulture));
    }

    /// <summary>What a command in a container prints.</summary>
    /// <param name="container">The container's name without the instance's.</param>
    /// <param name="command">The command's words.</param>
    public async Task<string> InsideAsync(string container, params string[] command)
    {
        var result = await ExecuteAsync(container, command);
        Assert.True(result.Succeeded, result.Error);
        return result.Output;
    }

    private Task<EngineResult> ExecuteAsync(string container, string[] command) =>
        Uvlhub.Engine.RunAsync(s_limit, Cancellation, ["exec", $"{instance}_{container}", .. command]);

    private async Task<string[]> ListAsync(params string[] words) =>
        (await Uvlhub.EngineAsync(s_limit, Cancellation, [.. words, "--filter", $"name=^{instance}_"]))
            .Split('\n', StringSplitOptions.RemoveEmptyEntries);
}
