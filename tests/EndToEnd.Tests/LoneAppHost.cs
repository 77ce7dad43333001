using System.Diagnostics;
using System.Globalization;
using CliWrap;
using CliWrap.Buffered;
using UvlhubAspire.Checkout;
using Xunit;

namespace UvlhubAspire.EndToEnd.Tests;

/// <summary>
/// An AppHost in a process of its own, behind a way to the engine of its own, on a checkout that is as inconvenient as a
/// checkout may be. Its tests do harm to it; whoever comes next finds it running again.
/// </summary>
public sealed class LoneAppHost : IAsyncLifetime
{
    private const string Dump = """MYSQL_PWD="$MARIADB_ROOT_PASSWORD" exec mariadb-dump -uroot --skip-comments --skip-dump-date --order-by-primary uvlhubdb""";
    private static readonly TimeSpan s_limit = TimeSpan.FromSeconds(30);
    private AppHostProcess? _process;

    /// <summary>Every character that can be printed, and a space.</summary>
    public static string Password { get; } = string.Concat(Enumerable.Range('!', '~' - '!' + 1).Select(code => (char)code)) + " x";

    public SampleCheckout Checkout { get; } = new("ñandú's hub ☃ 100%");

    public string Instance { get; } = Uvlhub.NewInstance();

    private bool IsReadOnly { get; set; }

    internal EngineRelay Engine { get; } = new();

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    public async ValueTask InitializeAsync()
    {
        Assert.SkipUnless(OperatingSystem.IsLinux(), "reads /proc");
        var example = await File.ReadAllLinesAsync(Checkout.File(".env.docker.example"), Cancellation);
        var quoted = $"'{Password.Replace("\\", "\\\\", StringComparison.Ordinal).Replace("'", "\\'", StringComparison.Ordinal)}'";
        await File.WriteAllTextAsync(
            Checkout.File(".env"),
            string.Join("\r\n", example.Select(line => line.Contains("PASSWORD=", StringComparison.Ordinal) ? $"{line.Split('=')[0]}={quoted}" : line)) + "\r\n",
            Cancellation);
    }

    /// <summary>Puts the checkout on a file system that nobody can write to. Only root can.</summary>
    public async Task<bool> MakeReadOnlyAsync() => IsReadOnly |= Environment.UserName == "root"
        && await MountAsync("mount", "--bind", Checkout.Path, Checkout.Path)
        && await MountAsync("mount", "-o", "remount,bind,ro", Checkout.Path);

    /// <summary>Takes it back.</summary>
    public async Task MakeWritableAsync()
    {
        if (IsReadOnly)
        {
            await MountAsync("umount", "--lazy", Checkout.Path);
            IsReadOnly = false;
        }
    }

    /// <summary>Starts a process; it is not waited for.</summary>
    internal AppHostProcess Start() => AppHostProcess.Start(
        new Dictionary<string, string> { ["DOCKER_HOST"] = Engine.Address }, $"--Uvlhub:Path={Checkout.Path}", $"--Uvlhub:Instance={Instance}");

    /// <summary>The process; it is started, again if it has to be, and its site can be used.</summary>
    internal async Task<AppHostProcess> RunningAsync()
    {
        if (_process is not { IsRunning: true })
        {
            _process = Start();
        }

        await _process.ReadyAsync(Cancellation);
        return _process;
    }

    /// <summary>The first page, as soon as it can be had.</summary>
    internal async Task<string> PageAsync()
    {
        using var client = new HttpClient { BaseAddress = await (await RunningAsync()).ReadyAsync(Cancellation), Timeout = TimeSpan.FromSeconds(10) };
        var page = "";
        await Eventually.TrueAsync(async () =>
        {
            page = await client.GetStringAsync("/", Cancellation);
            return true;
        });
        return page;
    }

    /// <summary>Every row of the database, as text.</summary>
    public Task<string> RowsAsync() => InsideAsync("mariadb_container", "sh", "-c", Dump);

    /// <summary>What a command in a container prints.</summary>
    public async Task<string> InsideAsync(string container, params string[] command)
    {
        var result = await Uvlhub.Engine.RunAsync(s_limit, Cancellation, ["exec", $"{Instance}_{container}", .. command]);
        Assert.True(result.Succeeded, result.Error);
        return result.Output;
    }

    /// <summary>Names and ids of its containers.</summary>
    public async Task<IReadOnlyDictionary<string, string>> ContainersAsync() =>
        (await Uvlhub.Engine.RunAsync(s_limit, Cancellation, "ps", "--all", "--no-trunc", "--format", "{{.Names}} {{.ID}}", "--filter", $"name=^{Instance}_")).Output
            .Split('\n', StringSplitOptions.RemoveEmptyEntries).Select(line => line.Split(' ')).ToDictionary(parts => parts[0], parts => parts[1], StringComparer.Ordinal);

    /// <summary>Whether its containers' network is there.</summary>
    public async Task<bool> HasNetworkAsync() =>
        (await Uvlhub.Engine.RunAsync(s_limit, Cancellation, "network", "inspect", new InstanceNames(Instance).Network)).Succeeded;

    /// <summary>Kills the processes of all its containers; the engine is not asked.</summary>
    public async Task CrashContainersAsync()
    {
        var ids = (await ContainersAsync()).Values;
        var processes = await Uvlhub.Engine.RunAsync(s_limit, Cancellation, ["container", "inspect", "--format", "{{.State.Pid}}", .. ids]);
        foreach (var id in processes.Output.Split('\n').Select(line => int.Parse(line, CultureInfo.InvariantCulture)).Where(id => id > 0))
        {
            Crash(id);
        }
    }

    /// <summary>SIGKILL, if it is still there.</summary>
    internal static void Crash(int id)
    {
        try
        {
            using var process = Process.GetProcessById(id);
            process.Kill();
        }
        catch (Exception exception) when (exception is ArgumentException or InvalidOperationException)
        {
            // It has ended.
        }
    }

    public async ValueTask DisposeAsync()
    {
        if (_process is not null)
        {
            await _process.DisposeAsync();
        }

        await Uvlhub.RemoveLeftoversAsync(Instance);
        await MakeWritableAsync();
        Checkout.Dispose();
        Engine.Dispose();
    }

    private static async Task<bool> MountAsync(string command, params string[] arguments) =>
        (await Cli.Wrap(command).WithArguments(arguments).WithValidation(CommandResultValidation.None).ExecuteBufferedAsync(CancellationToken.None)).IsSuccess;
}
