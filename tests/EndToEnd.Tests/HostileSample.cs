using System.Collections.Concurrent;
using System.Text;
using Xunit;

namespace UvlhubAspire.EndToEnd.Tests;

/// <summary>
/// A checkout in which everything that can be named is named so that a shell would make a file of it, and whose secrets
/// are its own; while it starts, all command lines of the machine are watched.
/// </summary>
public sealed class HostileSample : IAsyncLifetime
{
    private readonly string _token = Guid.NewGuid().ToString("n")[..6];
    private readonly DirectoryInfo _folder = Directory.CreateTempSubdirectory("uvlhub-aspire-hostile-");
    private Uvlhub? _uvlhub;

    /// <summary>
    /// A file that exists only if a shell has read a value: on the host or in a container, in a folder that everybody can
    /// write to. Its name is short, for a revision has 32 characters.
    /// </summary>
    public string Trace => $"/tmp/p_{_token}";

    /// <summary>What takes part in a file's name, which has no slash and, where it is mounted, no comma and no double quote.</summary>
    // A shell makes the slash of the folder that it is in.
    public string NameInjection => Commands(Trace.Replace("/", "${PWD%%[a-z]*}", StringComparison.Ordinal));

    public Uvlhub Uvlhub => _uvlhub ?? throw new InvalidOperationException("not started");

    /// <summary>The checkout's folder.</summary>
    public string Path { get; private set; } = "";

    /// <summary>The values that nobody may see, by their names.</summary>
    public Dictionary<string, string> Secrets { get; } = [];

    /// <summary>The command lines that were seen while it started, words separated by spaces.</summary>
    public ConcurrentDictionary<string, bool> CommandLines { get; } = new();

    /// <summary>The name of the site's database.</summary>
    public string Database => Injection("db");

    /// <summary>The head of its revisions; alembic itself breaks on a quote in one.</summary>
    public string Revision => $"005;$(touch {Trace})";

    /// <summary>A value that every shell takes for commands, however it is quoted, and that is a name in SQL.</summary>
    public string Injection(string name) => $"{name}{Commands(Trace)}``\"\"";

    public async ValueTask InitializeAsync()
    {
        var cancellation = TestContext.Current.CancellationToken;
        using var sample = new SampleCheckout();
        Path = System.IO.Path.Combine(_folder.FullName, $"mini hub{NameInjection}&");
        Directory.Move(sample.Path, Path);

        Secrets["MARIADB_PASSWORD"] = Injection($"user-{_token}-");
        Secrets["MARIADB_ROOT_PASSWORD"] = Injection($"root-{_token}-");
        Secrets["SECRET_KEY"] = $"key-{_token}-{{{{ template }}}}";
        Secrets["WEBHOOK_TOKEN"] = $"token-{_token}";
        Secrets["ZENODO_API_KEY"] = $"api-{_token}";
        Secrets["QUEUE_URL"] = $"redis://worker:queue-{_token}@redis:6379/0";
        var settings = new StringBuilder($"""
            FLASK_APP_NAME={DotEnv.Quote($"HOSTILE(dev){Injection("")}")}
            FLASK_ENV=development
            DOMAIN=localhost
            MARIADB_DATABASE={DotEnv.Quote(Database)}
            MARIADB_TEST_DATABASE={DotEnv.Quote(Injection("test"))}
            MARIADB_USER={DotEnv.Quote(Injection("user"))}
            GREETING={DotEnv.Quote($"two\n$(touch {Trace})\nlines")}

            """);
        foreach (var (name, value) in Secrets)
        {
            settings.Append(name).Append('=').Append(DotEnv.Quote(value)).Append('\n');
        }

        await File.WriteAllTextAsync(InCheckout(".env"), settings.ToString(), cancellation);

        // The head of the migrations, as a file and as a revision.
        var versions = InCheckout("migrations/versions");
        var head = Directory.EnumerateFiles(versions)
            .Single(file => System.IO.Path.GetFileName(file).StartsWith("004", StringComparison.Ordinal));
        await File.WriteAllTextAsync(System.IO.Path.Combine(versions, $"005_{NameInjection}.py"), $"""
            revision = "{Revision}"
            down_revision = "{(await File.ReadAllLinesAsync(head, cancellation)).Single(line => line.StartsWith("revision", StringComparison.Ordinal)).Split('"')[1]}"


            def upgrade():
                pass


            def downgrade():
                pass

            """, cancellation);

        var compose = InCheckout("docker/docker-compose.dev.yml");
        await File.WriteAllTextAsync(compose, (await File.ReadAllTextAsync(compose, cancellation)).Replace(
            "container_name: nginx_web_server_container",
            $"container_name: \"nginx{NameInjection.Replace("$", "$$", StringComparison.Ordinal)}\"\n    labels:\n      evil: "
            + $"\"{Commands(Trace).Replace("$", "$$", StringComparison.Ordinal)}\"",
            StringComparison.Ordinal), cancellation);

        using var watching = CancellationTokenSource.CreateLinkedTokenSource(cancellation);
        var watch = Task.Run(() => Watch(watching.Token), cancellation);
        try
        {
            _uvlhub = await Uvlhub.StartHealthyAsync(Path, Uvlhub.NewInstance(), cancellation);
        }
        finally
        {
            await watching.CancelAsync();
            await watch;
        }
    }

    public async ValueTask DisposeAsync()
    {
        if (_uvlhub is not null)
        {
            await _uvlhub.DisposeAsync();
        }

        _folder.Delete(recursive: true);
    }

    private string InCheckout(string relative) => System.IO.Path.Combine(Path, relative);

    // Without quotes and in double ones the first is run, in single ones the second. Whole in each case: of a line with an
    // open quote a shell runs nothing.
    private static string Commands(string trace) => $"$(touch {trace});'$(touch {trace})'";

    // What any user of the machine can do with ps.
    private void Watch(CancellationToken cancellationToken)
    {
        // Only newcomers are read, or a round takes longer than some of them live; and several times, because a process
        // has its parent's command line first.
        const int rounds = 20;
        var seen = new Dictionary<string, int>(StringComparer.Ordinal);
        while (!cancellationToken.IsCancellationRequested)
        {
            foreach (var process in Directory.EnumerateDirectories("/proc"))
            {
                var round = seen.GetValueOrDefault(process);
                if (round >= rounds || !char.IsAsciiDigit(process[^1]))
                {
                    continue;
                }

                seen[process] = round + 1;
                try
                {
                    CommandLines.TryAdd(File.ReadAllText($"{process}/cmdline").Replace('\0', ' '), true);
                }
                catch (IOException)
                {
                    // It has ended meanwhile.
                }
                catch (UnauthorizedAccessException)
                {
                    // Another user's, on a machine that hides them.
                }
            }

            Thread.Sleep(1);
        }
    }
}
