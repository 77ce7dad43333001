using System.Diagnostics;
using System.Text.RegularExpressions;
using Xunit;

namespace UvlhubAspire.Checkout.Tests;

public sealed partial class StartScriptTests : IDisposable
{
    private const string Entrypoint = "docker/entrypoints/development_entrypoint.sh";
    private static readonly string[] s_server = ["flask", "run", "--port=5000"];
    private readonly TemporaryFolder _folder = new();

    public StartScriptTests() => Edition.Load(Edition.Course).WriteCheckout(_folder);

    public void Dispose() => _folder.Dispose();

    // Like the editions' start scripts: what they have in common, and what some of them have beside it.
    [Theory]
    [InlineData("sh ./scripts/wait-for-db.sh", StartLineKind.Waits)]
    [InlineData("/app/scripts/wait_for_db.sh db", StartLineKind.Waits)]
    [InlineData("bash scripts/init-testing-db.sh", StartLineKind.Waits)]
    [InlineData("mariadb-admin ping -h db", StartLineKind.Waits)]
    [InlineData("mysql -u root -p\"$PASSWORD\" -e \"CREATE DATABASE IF NOT EXISTS extra;\"", StartLineKind.Waits)]
    [InlineData("mariadb -u root app -e \"INSERT INTO tag VALUES (1)\"", StartLineKind.Own)]
    [InlineData("mariadb -u root app < rows.sql", StartLineKind.Own)]
    [InlineData("flask db upgrade", StartLineKind.Migrates)]
    [InlineData("FLASK_APP=app python3 -m flask db upgrade heads", StartLineKind.Migrates)]
    [InlineData("flask --app app db stamp head", StartLineKind.Migrates)]
    [InlineData("rosemary db:migrate", StartLineKind.Migrates)]
    [InlineData("rosemary db:seed -y", StartLineKind.Seeds)]
    [InlineData("echo y | rosemary db:seed", StartLineKind.Seeds)]
    [InlineData("rosemary db:reset -y", StartLineKind.Own)]
    [InlineData("pip install -r requirements.txt", StartLineKind.Installs)]
    [InlineData("pip install --no-cache-dir -e ./", StartLineKind.Installs)]
    [InlineData("python -m pip install -e ./vendor/generator/", StartLineKind.Own)]
    [InlineData("pip install gunicorn", StartLineKind.Own)]
    [InlineData("flask run --host=0.0.0.0 --port=5000 --reload --debug", StartLineKind.Serves)]
    [InlineData("exec flask --app app --debug run", StartLineKind.Serves)]
    [InlineData("exec opentelemetry-instrument flask run", StartLineKind.Serves)]
    [InlineData("python -m debugpy --listen 0.0.0.0:5678 -m flask run", StartLineKind.Serves)]
    [InlineData("exec gunicorn --workers 3 --bind 0.0.0.0:5000 app:app", StartLineKind.Serves)]
    [InlineData("exec \"$@\"", StartLineKind.Serves)]
    [InlineData("rosemary webpack:compile --watch", StartLineKind.Own)]
    [InlineData("rosemary search:reset &", StartLineKind.Own)]
    [InlineData("python scripts/second_seeder.py || true", StartLineKind.Own)]
    [InlineData("flask shell <<'END'\nprint(1)\nEND", StartLineKind.Own)]
    [InlineData("mkdir -p uploads", StartLineKind.Own)]
    [InlineData("echo \"Starting flask run\"", StartLineKind.None)]
    [InlineData("sleep 5", StartLineKind.None)]
    [InlineData("REVISION=$(mariadb -e \"SELECT version_num FROM alembic_version\")", StartLineKind.None)]
    [InlineData("export FLASK_APP=app", StartLineKind.None)]
    public void A_line_is_told_from_the_others(string command, StartLineKind kind)
    {
        _folder.Write("docker/images/Dockerfile.dev", """
            FROM python:3.12-slim
            WORKDIR /app
            RUN --mount=type=cache,target=/root/.cache/pip pip install --no-cache-dir -r requirements.txt && pip install -e .
            """);
        var lines = Read($"#!/bin/bash\nset -e\n{command}\nflask run\n").Lines;

        Assert.Equal(kind == StartLineKind.None ? [] : [kind], lines.SkipLast(1).Select(line => line.Kind));
        Assert.All(lines.SkipLast(1), line => Assert.Equal((Entrypoint, 3), (line.File, line.Line)));
    }

    [Fact]
    public void A_script_that_does_nothing_of_its_own_is_replaced_by_the_server_alone()
    {
        var script = Read(
            """
            #!/bin/bash
            set -e
            sh ./scripts/wait-for-db.sh
            if [ ! -d migrations/versions ]; then
                flask db init
            fi
            if [ $(mariadb -sse "SELECT COUNT(*) FROM information_schema.tables;") -eq 0 ]; then
                echo "New"
                flask db upgrade
                rosemary db:seed -y
            else
                CURRENT=$(mariadb -sse "SELECT version_num FROM alembic_version;")
                if [ -z "$CURRENT" ]; then flask db stamp head; fi
                flask db upgrade
            fi
            exec flask run --host=0.0.0.0
            """);

        Assert.Equal(s_server, script.Command);
        Assert.Empty(script.Seeding);
        Assert.Equal(
            [
                "3 Waits", "5 Migrates", "9 Migrates", "10 Seeds", "13 Migrates", "14 Migrates", "16 Serves",
            ],
            script.Lines.Select(line => $"{line.Line} {line.Kind}"));
    }

    [Theory]
    [InlineData("development")]
    [InlineData("production")]
    [InlineData("render")]
    public void Of_the_samples_start_scripts_nothing_is_left_that_could_make_a_start_slower(string name)
    {
        var script = StartScript.Read(
            UvlhubCheckout.Read(RepositoryFolder.BundledSample), ["sh", $"docker/entrypoints/{name}_entrypoint.sh"], "", 1,
            new Dictionary<string, string>(), s_server)!;
        Assert.Equal(s_server, script.Command);
        Assert.Empty(script.Packages);
        Assert.Null(script.NotRun);
        Assert.DoesNotContain(script.Lines, line => line.Kind is StartLineKind.Own or StartLineKind.OwnSeeding);
    }

    [Fact]
    public void What_stands_beside_the_seeder_is_the_migrators_and_what_hangs_on_the_databases_state_otherwise_does_not_run()
    {
        var script = Read(
            """
            set -e
            if [ "$(mariadb -e 'SELECT COUNT(*) FROM user')" -eq 0 ]; then
                flask db upgrade
                rosemary db:seed -y
                python scripts/more_rows.py
            else
                flask db upgrade
                python scripts/refresh.py
            fi
            exec flask run
            """);

        Assert.Equal(s_server, script.Command);
        Assert.Equal(
            [
                "3 Migrates flask db upgrade", "4 Seeds rosemary db:seed -y", "5 OwnSeeding python scripts/more_rows.py",
                "7 Migrates flask db upgrade", "8 Unsure python scripts/refresh.py", "10 Serves exec flask run",
            ],
            script.Lines.Select(line => $"{line.Line} {line.Kind} {line.Text}"));
        Assert.Equal(["sh", "-c"], script.Seeding.Take(2));
        Assert.Contains("set -e; ", script.Seeding[2], StringComparison.Ordinal);
        Assert.DoesNotContain("flask db upgrade", script.Seeding[2], StringComparison.Ordinal);
        Assert.DoesNotContain("refresh.py", script.Seeding[2], StringComparison.Ordinal);
        Assert.Equal(script.Seeding, UvlhubCheckout.Read(_folder.Path).SeedingSteps);
    }

    [Theory]
    [InlineData("python serve.py\n")]
    [InlineData("if true; then\n  python x.py\n")]
    [InlineData("echo 'never closed\nflask run\n")]
    public void A_script_that_cannot_be_told_apart_does_not_run_and_says_so(string text)
    {
        var script = Read(text);
        Assert.Equal(s_server, script.Command);
        Assert.StartsWith(Path.Combine(_folder.Path, Entrypoint), script.Problem, StringComparison.Ordinal);
    }

    [Fact]
    public void A_command_without_a_script_is_read_as_one_and_so_is_what_it_calls()
    {
        _folder.Write("scripts/prepare.sh", "set -e\nflask db upgrade\necho prepared $1\ntouch done\n");
        var script = Read("", "sh", "-c", "sh scripts/prepare.sh well && flask run");
        Assert.Equal(
            [
                ("scripts/prepare.sh", 2, StartLineKind.Migrates), ("scripts/prepare.sh", 4, StartLineKind.Own),
                ("docker/docker-compose.dev.yml", 7, StartLineKind.Serves),
            ],
            script.Lines.Select(line => (line.File, line.Line, line.Kind)));
    }

    [Fact]
    public void What_is_installed_before_the_migration_is_installed_where_that_runs_too()
    {
        var script = Read(
            """
            export PIP_NO_INDEX=1
            if [ -d vendor ]; then
                pip install -e ./vendor/generator
            fi
            mkdir -p uploads
            flask db upgrade
            pip install later
            exec flask run
            """);
        var packages = script.Packages[2];
        Assert.Contains("pip install -e ./vendor/generator; uvlhub_step; }", packages, StringComparison.Ordinal);
        Assert.Contains("export PIP_NO_INDEX=1", packages, StringComparison.Ordinal);
        Assert.EndsWith($"touch {StartScript.Installed}; exec sleep infinity", packages, StringComparison.Ordinal);
        Assert.DoesNotContain("uploads", packages, StringComparison.Ordinal);
        Assert.DoesNotContain("later", packages, StringComparison.Ordinal);
        Assert.Empty(Read("mkdir -p uploads\nflask db upgrade\nexec flask run\n").Packages);
    }

    // In the shells themselves: what remains of a script does what the script does, and says how it went.
    [Theory]
    [InlineData("sh")]
    [InlineData("bash")]
    public async Task The_rest_of_a_script_runs_in_its_order_with_the_time_and_the_failure_of_each_step(string shell)
    {
        _folder.Write("scripts/prepare.sh", "set -e\nflask db upgrade\necho prepared $1 | cat\n");
        var (exitCode, output, steps) = await RunAsync(
            """
            #!/bin/bash
            set -u
            sh ./scripts/wait-for-db.sh
            index() { ls index; flask db upgrade; }
            index
            cat <<'TEXT' | tr a-z A-Z
            here it's $HOME
            TEXT
            sh ./scripts/prepare.sh well
            until ls . > ready && [ -e ready ]; do ls never; done
            (sleep 0.3; ls watched) &
            ls missing || echo "went on"
            case "$0" in */development_entrypoint.sh) ls . > listed ;; esac
            flask db upgrade && ls after
            flask run
            """,
            shell);

        Assert.Equal(0, exitCode);
        Assert.Equal(
            ["HERE IT'S $HOME", "prepared well", "went on", "served"], output);
        Assert.Contains(
            steps,
            step => Done().IsMatch(step)
                && step.StartsWith($"{Entrypoint}:6: 'cat <<'TEXT' | tr a-z A-Z' is done", StringComparison.Ordinal));
        Assert.Contains(
            steps, step => step.StartsWith("scripts/prepare.sh:3: 'echo prepared $1 | cat' is done after 0.", StringComparison.Ordinal));
        Assert.Contains(
            steps, step => step.StartsWith($"{Entrypoint}:12: 'ls missing' failed with exit code 2 after ", StringComparison.Ordinal));
        Assert.DoesNotContain(steps, step => step.Contains("ready", StringComparison.Ordinal));
        Assert.Contains(steps, step => step == $"{Entrypoint}:14: 'ls after' begins");
    }

    [Theory]
    [InlineData("sh")]
    [InlineData("bash")]
    public async Task A_step_that_fails_ends_a_script_that_says_so_and_no_other(string shell)
    {
        const string Steps = "ls missing\nls missing &\nwait\nexec flask run\n";
        var (exitCode, output, steps) = await RunAsync($"set -e\n{Steps}", shell);
        Assert.Equal(2, exitCode);
        Assert.Empty(output);
        Assert.Contains(steps, step => Failed().IsMatch(step));

        (exitCode, output, steps) = await RunAsync(Steps, shell);
        Assert.Equal(0, exitCode);
        Assert.Equal(["served"], output);
        Assert.Equal(2, steps.Count(step => Failed().IsMatch(step)));

        // In the background it ends nothing, and tells all the same.
        (exitCode, output, steps) = await RunAsync("set -e\nls missing &\nwait\nexec flask run\n", shell);
        Assert.Equal((0, "served"), (exitCode, Assert.Single(output)));
        Assert.Contains(steps, step => Failed().IsMatch(step));
    }

    [GeneratedRegex(@"done after \d+\.\d\d s$")]
    private static partial Regex Done();

    [GeneratedRegex(@": 'ls missing' failed with exit code 2 after \d+\.\d\d s$")]
    private static partial Regex Failed();

    private async Task<(int ExitCode, string[] Output, string[] Steps)> RunAsync(string text, string shell)
    {
        var command = Read(text, ["echo", "served"], shell, $"/app/{Entrypoint}").Command;
        using var process = Process.Start(new ProcessStartInfo(command[0], command.Skip(1))
        {
            RedirectStandardOutput = true,
            RedirectStandardError = true,
            WorkingDirectory = _folder.Path,
        })!;
        var cancellation = TestContext.Current.CancellationToken;
        var output = process.StandardOutput.ReadToEndAsync(cancellation);
        var error = await process.StandardError.ReadToEndAsync(cancellation);
        await process.WaitForExitAsync(cancellation);
        return (process.ExitCode, Lines(await output), Lines(error));

        static string[] Lines(string text) => text.Split('\n', StringSplitOptions.RemoveEmptyEntries);
    }

    private StartScript Read(string text, params string[] command) => Read(text, s_server, command);

    private StartScript Read(string text, string[] server, params string[] command)
    {
        _folder.Write(Entrypoint, text);
        return StartScript.Read(
            UvlhubCheckout.Read(_folder.Path), command.Length > 0 ? command : ["sh", "-c", $"sh /app/{Entrypoint}"],
            Path.Combine(_folder.Path, "docker/docker-compose.dev.yml"), 7, new Dictionary<string, string>(), server)!;
    }
}
