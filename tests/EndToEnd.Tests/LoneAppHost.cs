using System.Diagnostics;
using System.Globalization;
using System.Net;
using CliWrap;
using CliWrap.Buffered;
using Xunit;

namespace UvlhubAspire.EndToEnd.Tests;

/// <summary>
/// An AppHost in a process of its own, behind a way to the engine of its own, on a checkout that is as inconvenient as a
/// checkout may be, with a service that keeps the start from ending. Its tests do harm to it; whoever comes next finds it
/// running again.
/// </summary>
public sealed class LoneAppHost : IAsyncLifetime
{
    private static readonly TimeSpan s_limit = TimeSpan.FromSeconds(30);
    private static readonly TimeSpan s_requestLimit = TimeSpan.FromSeconds(10);
    private AppHostProcess? _process;

    /// <summary>Every character that can be printed, and a space.</summary>
    public static string Password { get; } = string.Concat(Enumerable.Range('!', '~' - '!' + 1).Select(code => (char)code)) + " x";

    public SampleCheckout Checkout { get; } = new("ñandú's hub ☃ 100%");

    public string Instance { get; } = Uvlhub.NewInstance();

    private bool IsReadOnly { get; set; }

    internal EngineRelay Engine { get; } = new();

    internal InstanceOnEngine OnEngine => field ??= new(Instance);

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    public async ValueTask InitializeAsync()
    {
        Assert.SkipUnless(OperatingSystem.IsLinux(), "reads /proc");
        var example = await File.ReadAllLinesAsync(Checkout.File(".env.docker.example"), Cancellation);
        await Nowhere.AddAsync(Checkout, "docker-compose.dev.yml", "nowhere");
        var quoted = DotEnv.Quote(Password);
        await File.WriteAllTextAsync(
            Checkout.File(".env"),
            string.Join(
                "\r\n",
                example.Select(
                    line => line.Contains("PASSWORD=", StringComparison.Ordinal) ? $"{line.Split('=')[0]}={quoted}" : line)) + "\r\n",
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
            IsReadOnly = !await MountAsync("umount", "--lazy", Checkout.Path);
            Assert.False(IsReadOnly, $"{Checkout.Path} cannot be made writable again");
        }
    }

    /// <summary>Starts a process; it is not waited for.</summary>
    internal AppHostProcess Start() => AppHostProcess.Start(
        new Dictionary<string, string> { ["DOCKER_HOST"] = Engine.Address }, $"--Uvlhub:Path={Checkout.Path}",
        $"--Uvlhub:Instance={Instance}");

    /// <summary>
    /// The process, whose site can be used; it is started if none runs. For the beginning of a test, or for one that says that it
    /// has ended: where a test claims that a process survives, this would hide that it did not.
    /// </summary>
    internal async Task<AppHostProcess> RunningAsync()
    {
        if (_process is not { IsRunning: true })
        {
            _process = Start();
        }

        await _process.ReadyAsync(Cancellation);
        return _process;
    }

    /// <summary>Ends the process as Ctrl+C does, if it runs.</summary>
    internal async Task StopAsync()
    {
        if (_process is not null)
        {
            await _process.DisposeAsync();
        }
    }

    /// <summary>The first page, asked for once of the address that the process has called ready. It must still run.</summary>
    internal async Task<string> PageAsync()
    {
        var process = _process!;
        Assert.True(process.IsRunning, $"the AppHost has ended:\n{process.Output}");
        using var client = await ClientAsync();
        using var answer = await client.GetAsync("/", Cancellation);
        var page = await answer.Content.ReadAsStringAsync(Cancellation);
        Assert.True(answer.StatusCode == HttpStatusCode.OK, $"GET {client.BaseAddress} answered {answer.StatusCode}:\n{page}");
        return page;
    }

    /// <summary>The first page, as soon as the site that was interrupted serves it again.</summary>
    internal Task<string> PageAgainAsync() => Eventually.IsAsync(
        async () =>
        {
            using var client = await ClientAsync();
            return await client.GetStringAsync("/", Cancellation);
        },
        page => page.Length > 0,
        what: "the first page, served again");

    /// <summary>Adds a row that no seeder would, and returns every row of the database.</summary>
    public async Task<string> RowsWithANewOneAsync()
    {
        await OnEngine.InsideAsync(
            InstanceOnEngine.Database, "sh", "-c",
            """
            MYSQL_PWD="$MARIADB_ROOT_PASSWORD" exec mariadb -uroot uvlhubdb -e "
                INSERT INTO user (email, password_hash, created_at) VALUES (UUID(), 'x', NOW())"
            """);
        return await OnEngine.RowsAsync();
    }

    /// <summary>Kills the processes of all its containers; the engine is not asked.</summary>
    public async Task CrashContainersAsync()
    {
        var ids = (await OnEngine.ContainersAsync()).Values;
        var processes = await Uvlhub.EngineAsync(s_limit, Cancellation, ["container", "inspect", "--format", "{{.State.Pid}}", .. ids]);
        foreach (var id in processes.Split('\n').Select(line => int.Parse(line, CultureInfo.InvariantCulture)).Where(id => id > 0))
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
        try
        {
            await StopAsync();
        }
        finally
        {
            await Uvlhub.RemoveLeftoversAsync(Instance);
            await MakeWritableAsync();
            Checkout.Dispose();
            Engine.Dispose();
        }
    }

    private async Task<HttpClient> ClientAsync() =>
        new() { BaseAddress = await _process!.ReadyAsync(Cancellation), Timeout = s_requestLimit };

    private static async Task<bool> MountAsync(string command, params string[] arguments) =>
        (
            await Cli.Wrap(command).WithArguments(arguments).WithValidation(CommandResultValidation.None)
            .ExecuteBufferedAsync(CancellationToken.None)).IsSuccess;
}
