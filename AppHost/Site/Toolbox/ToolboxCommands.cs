using System.Globalization;
using Microsoft.Extensions.DependencyInjection;
using MySqlConnector;
using UvlhubAspire.AppHost.Images;
using UvlhubAspire.AppHost.Uvlhub;

namespace UvlhubAspire.AppHost.Site;

/// <summary>The checkout's tests, run in the toolbox: what <c>rosemary test</c>, <c>selenium</c> and <c>locust</c> do, with
/// an exit code that tells.</summary>
internal sealed class ToolboxCommands
{
    private const string Module = "module";
    private const string Keyword = "keyword";
    private const string Browser = "browser";
    private const string Users = "users";
    private const string Seconds = "seconds";
    private const int MostUsers = 1000;
    private const int LongestLoad = 3600;
    private static readonly TimeSpan s_testLimit = TimeSpan.FromMinutes(60);
    private static readonly TimeSpan s_gridLimit = TimeSpan.FromSeconds(60);

    private readonly FlaskResource _toolbox;
    private readonly UvlhubEnvironment _uvlhub;
    private readonly MariaDBServerResource _server;
    private readonly string _site;
    private int _testing;

    private ToolboxCommands(FlaskResource toolbox, UvlhubEnvironment uvlhub, MariaDBServerResource server, string site) =>
        (_toolbox, _uvlhub, _server, _site) = (toolbox, uvlhub, server, site);

    /// <summary>Adds <c>test</c>, <c>selenium</c> and <c>locust</c> to the toolbox.</summary>
    /// <param name="builder">The toolbox.</param>
    /// <param name="uvlhub">The checkout and the settings.</param>
    /// <param name="server">The database server.</param>
    /// <param name="site">The address of the site on the containers' network.</param>
    public static IResourceBuilder<FlaskResource> Add(
        IResourceBuilder<FlaskResource> builder, UvlhubEnvironment uvlhub, MariaDBServerResource server, string site)
    {
        var commands = new ToolboxCommands(builder.Resource, uvlhub, server, site);
        return builder
            .WithCommand("test", "Run pytest", commands.TestAsync, new CommandOptions
            {
                Description = "Run the checkout's tests on the test database: of all modules, or of one",
                IconName = "Beaker",
                IsHighlighted = true,
                Arguments = [commands.ModuleArgument(), new InteractionInput { Name = Keyword, Label = "Only tests that match", Description = "pytest's -k", InputType = InputType.Text, Placeholder = "login and not wrong" }],
                ValidateArguments = commands.ValidateModule,
                Progress = new CommandProgressOptions { Message = "Running pytest; the log shows its output" },
            })
            .WithCommand("selenium", "Run Selenium tests", commands.SeleniumAsync, new CommandOptions
            {
                Description = "Run the checkout's browser tests on the running site and its own database",
                IconName = "WindowPlay",
                Arguments = [commands.ModuleArgument(), BrowserArgument()],
                ValidateArguments = commands.ValidateModule,
                ConfirmationMessage = "Browser tests work on the running site, so what they enter stays in its database. 'Backup' on the "
                    + "migrator makes a snapshot first.",
                Progress = new CommandProgressOptions { Message = "Running the browser tests; the log shows their output" },
            })
            .WithCommand("locust", "Run Locust", commands.LocustAsync, new CommandOptions
            {
                Description = "Put load on the running site for a while, and say how it answered",
                IconName = "Gauge",
                Arguments =
                [
                    commands.ModuleArgument(), NumberArgument(Users, "Users at the same time", "10"),
                    NumberArgument(Seconds, "For how many seconds", "30"),
                ],
                ValidateArguments = commands.ValidateModule,
                Progress = new CommandProgressOptions { Message = "Running Locust; the log shows its output" },
            });
    }

    private async Task<ExecuteCommandResult> TestAsync(ExecuteCommandContext context)
    {
        // Two runs at once would empty each other's tables.
        if (Interlocked.Exchange(ref _testing, 1) == 1)
        {
            return CommandResults.Failure($"test: another run is at work on {_uvlhub.Checkout.TestDatabase}; wait for it, or cancel it");
        }

        try
        {
            if (_uvlhub.Checkout.TestDatabase == _uvlhub.Checkout.Database)
            {
                return CommandResults.Failure(
                    $"test: {_uvlhub.Checkout.EnvironmentFile.Path} names the same database twice: MARIADB_TEST_DATABASE must be another "
                    + $"than MARIADB_DATABASE ({_uvlhub.Checkout.Database}), because tests empty it");
            }

            var account = await TestAccount.PrepareAsync(
                _server, _uvlhub.Checkout.DatabaseUser, _uvlhub.Checkout.TestDatabase, context.CancellationToken);
            var environment = new Dictionary<string, string>
            {
                ["MARIADB_USER"] = account.User,
                ["MARIADB_PASSWORD"] = account.Password,
                ["MARIADB_ROOT_PASSWORD"] = "",
            };
            string[] keyword = context.Optional(Keyword) is { } expression ? ["-k", expression] : [];
            return await RunPytestAsync(context, "test", environment, ["--ignore-glob=*selenium*", .. keyword, ModuleFolder(context)]);
        }
        catch (MySqlException exception)
        {
            return CommandResults.Failure($"test: MariaDB cannot be asked for a user of the tests: {exception.Message}");
        }
        finally
        {
            Volatile.Write(ref _testing, 0);
        }
    }

    private async Task<ExecuteCommandResult> SeleniumAsync(ExecuteCommandContext context)
    {
        var files = TestFiles(context, "test_selenium*.py");
        if (files.Count == 0)
        {
            return CommandResults.Failure($"selenium: there is no test_selenium.py in {ModuleFolder(context)}");
        }

        var browser = context.Optional(Browser) ?? "chrome";
        var environment = new Dictionary<string, string> { ["SELENIUM_BROWSER"] = browser, ["SELENIUM_TARGET_URL"] = _site };
        var grid = await RunAsync(context, environment, s_gridLimit * 2, ["python", $"{SiteDockerfile.StartupFolder}/wait_for_grid.py", browser, s_gridLimit.TotalSeconds.ToString(CultureInfo.InvariantCulture)]);
        return grid.Succeeded
            ? await RunPytestAsync(context, "selenium", environment, files)
            : CommandResults.Failure($"selenium: {grid.Tail}");
    }

    private async Task<ExecuteCommandResult> LocustAsync(ExecuteCommandContext context)
    {
        var bootstrap = Path.Combine(_uvlhub.Checkout.Path, "core", "bootstraps", "locustfile_bootstrap.py");
        IReadOnlyList<string> files = context.Optional(Module) is null && File.Exists(bootstrap)
            ? [$"{_uvlhub.Checkout.WorkingDirectory}/core/bootstraps/locustfile_bootstrap.py"]
            : TestFiles(context, "locustfile.py");
        if (files.Count == 0)
        {
            return CommandResults.Failure($"locust: there is no locustfile.py in {ModuleFolder(context)}");
        }

        if (Number(context, Users, 10, MostUsers) is not { } users || Number(context, Seconds, 30, LongestLoad) is not { } seconds)
        {
            return CommandResults.Failure($"locust: {Users} is a number up to {MostUsers}, {Seconds} one up to {LongestLoad}");
        }

        var (u, s) = (users.ToString(CultureInfo.InvariantCulture), seconds.ToString(CultureInfo.InvariantCulture));
        var outcome = await RunAsync(
            context,
            new Dictionary<string, string> { ["LOCUST_HOST"] = _site },
            TimeSpan.FromSeconds(seconds) + TimeSpan.FromMinutes(2),
            ["locust", "--headless", "--only-summary", "--users", u, "--spawn-rate", u, "--run-time", $"{s}s", "--host", _site, "--locustfile", string.Join(',', files)]);
        return outcome.ExitCode switch
        {
            0 => CommandArguments.Answer($"locust: {u} users for {s} s, no request failed", outcome.Tail),
            127 => CommandResults.Failure("locust: this image has no Locust; start the resource 'locust', which has a page of its own"),
            _ =>
                CommandResults.Failure(
                    "locust: requests failed, or Locust did", new CommandResultData { Value = outcome.Tail, DisplayImmediately = true }),
        };
    }

    private async Task<ExecuteCommandResult> RunPytestAsync(
        ExecuteCommandContext context, string name, Dictionary<string, string> environment, IReadOnlyList<string> arguments)
    {
        try
        {
            // pytest cuts the reason of a failure to the width of the terminal, and there is none.
            environment["COLUMNS"] = "200";
            var outcome = await RunAsync(
                context, environment, s_testLimit, ["python", "-m", "pytest", "-v", "-o", "cache_dir=/tmp/pytest-cache", .. arguments]);
            var counts = PytestOutput.Counts(outcome.Answer);
            if (outcome.Succeeded)
            {
                return CommandArguments.Answer($"{name}: done", counts ?? outcome.Tail);
            }

            var failures = string.Join(Environment.NewLine, PytestOutput.Failures(outcome.Answer));
            return CommandResults.Failure(
                $"{name}: {counts ?? PytestOutput.Meaning(outcome.ExitCode)}",
                new CommandResultData { Value = failures.Length > 0 ? failures : outcome.Tail, DisplayImmediately = true });
        }
        catch (TimeoutException exception)
        {
            return CommandResults.Failure($"{name}: {exception.Message}");
        }
    }

    private Task<CommandOutcome> RunAsync(
        ExecuteCommandContext context, Dictionary<string, string> environment, TimeSpan limit, IReadOnlyList<string> words)
    {
        CommandLog.Running(context.Logger, string.Join(' ', words));
        var program = LeashedCommand.Create(
            context.Services.GetRequiredService<ContainerEngine>(), _uvlhub.Names.ToolboxContainer, words, environment);
        return CommandRun.ExecuteAsync(program, context.Logger, limit, TimeSpan.Zero, context.CancellationToken);
    }

    private InteractionInput ModuleArgument() => new()
    {
        Name = Module,
        Label = "Module",
        Description = "Empty: all of them",
        InputType = InputType.Choice,
        AllowCustomChoice = true,
        Options = [.. _uvlhub.Checkout.ReadModules().Select(name => KeyValuePair.Create(name, name))],
    };

    private static InteractionInput BrowserArgument() => new()
    {
        Name = Browser,
        Label = "Browser",
        InputType = InputType.Choice,
        Value = "chrome",
        Options = [KeyValuePair.Create("chrome", "Chrome"), KeyValuePair.Create("firefox", "Firefox")],
    };

    private static InteractionInput NumberArgument(string name, string label, string value) =>
        new() { Name = name, Label = label, InputType = InputType.Number, Value = value };

    private Task ValidateModule(InputsDialogValidationContext context)
    {
        // A module that was made after the start is one as well.
        var modules = _uvlhub.Checkout.ReadModules();
        if (context.Inputs.TryGetByName(Module, out var input) && input.Value?.Trim() is { Length: > 0 } module
            && !modules.Contains(module))
        {
            context.AddValidationError(input, $"there is no module {module}; there are {string.Join(", ", modules)}");
        }

        return Task.CompletedTask;
    }

    private string ModuleFolder(ExecuteCommandContext context) =>
        string.Join('/', new[] { _uvlhub.Checkout.ModulesDirectory, context.Optional(Module) }.OfType<string>());

    // As paths in the container.
    private List<string> TestFiles(ExecuteCommandContext context, string pattern)
    {
        var folder = Path.Combine(_uvlhub.Checkout.Path, ModuleFolder(context));
        return
        [
            .. Directory.EnumerateFiles(folder, pattern, SearchOption.AllDirectories)
                .Select(
                    file => $"{_uvlhub.Checkout.WorkingDirectory}/{Path.GetRelativePath(_uvlhub.Checkout.Path, file).Replace('\\', '/')}")
                .Order(StringComparer.Ordinal),
        ];
    }

    private static int? Number(ExecuteCommandContext context, string name, int standard, int most) =>
        context.Optional(name) is not { } text ? standard
        : int.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out var number) && number >= 1 && number <= most ? number
        : null;
}
