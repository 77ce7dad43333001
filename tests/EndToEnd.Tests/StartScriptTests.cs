using System.Text.RegularExpressions;
using Aspire.Hosting.ApplicationModel;
using Xunit;

namespace UvlhubAspire.EndToEnd.Tests;

/// <summary>What a checkout's start script does beside what the model replaces.</summary>
public sealed partial class StartScriptTests
{
    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    [Fact(Timeout = 300_000)]
    public async Task A_start_scripts_own_steps_run_where_it_has_them_and_a_watch_goes_on_beside_the_site()
    {
        using var checkout = new SampleCheckout();
        await File.WriteAllTextAsync(checkout.File("docker/entrypoints/development_entrypoint.sh"), """
            #!/bin/sh
            set -eu
            python -m scripts.watch &
            pip install --no-deps ./vendor/extra
            sh ./scripts/wait-for-db.sh
            sh ./scripts/init-testing-db.sh
            users=$(mariadb -h "$MARIADB_HOSTNAME" -u "$MARIADB_USER" -D "$MARIADB_DATABASE" -sN -e 'SELECT COUNT(*) FROM user' || echo 0)
            if [ "$users" -eq 0 ]; then
                flask db upgrade
                rosemary db:seed -y
                python -m scripts.second_seeder
            else
                flask db upgrade
            fi
            flask shell <<'PYTHON'
            from app import db
            from sqlalchemy import text
            db.session.execute(text("CREATE TABLE IF NOT EXISTS starts (seeded INT)"))
            db.session.execute(text("INSERT INTO starts SELECT COUNT(*) FROM second_seeding"))
            db.session.commit()
            PYTHON
            python -c 'import sys; sys.exit(3)' || echo "went on without it"
            exec flask run --host=0.0.0.0 --port=5000 --reload --debug

            """, Cancellation);
        await File.WriteAllTextAsync(checkout.File("scripts/second_seeder.py"), """
            from app import create_app, db
            from sqlalchemy import text

            with create_app().app_context():
                db.session.execute(text("CREATE TABLE second_seeding AS SELECT COUNT(*) AS users FROM user"))
                db.session.commit()

            """, Cancellation);
        await File.WriteAllTextAsync(checkout.File("scripts/watch.py"), """
            import time

            while True:
                with open("/tmp/watched", "w") as file:
                    file.write(str(time.monotonic()))
                time.sleep(0.2)

            """, Cancellation);
        await using var uvlhub = await Uvlhub.StartHealthyAsync(checkout.Path, Uvlhub.NewInstance(), Cancellation);

        // The second seeder found the first one's rows, and the shell found the second one's.
        Assert.NotEqual("0", await uvlhub.ScalarAsync("uvlhubdb", "SELECT users FROM second_seeding", Cancellation));
        Assert.Equal("1", await uvlhub.ScalarAsync("uvlhubdb", "SELECT GROUP_CONCAT(seeded) FROM starts", Cancellation));
        var before = await uvlhub.InsideAsync("web_app_container", Cancellation, "cat", "/tmp/watched");
        await Eventually.TrueAsync(
            async () => await uvlhub.InsideAsync("web_app_container", Cancellation, "cat", "/tmp/watched") is { Length: > 0 } now
                && now != before);

        const string Script = "docker/entrypoints/development_entrypoint.sh";
        var log = await uvlhub.LogAsync("web", Cancellation);
        Assert.Contains($"{Script}:3: 'python -m scripts.watch' begins", log, StringComparison.Ordinal);
        Assert.Matches(ShellDone(), log);
        Assert.Matches(OptionalFailed(), log);
        Assert.Contains("went on without it", log, StringComparison.Ordinal);
        // A stand-in for the checkout's image has no pip: that ends neither the start nor the migration, which has waited for it.
        foreach (var resource in (string[])["rosemary", "web"])
        {
            Assert.Contains(
                $"{Script}:4: 'pip install --no-deps ./vendor/extra' failed with exit code 127 (passed over on a stand-in for the image)",
                await uvlhub.LogAsync(resource, Cancellation), StringComparison.Ordinal);
        }

        Assert.DoesNotContain("second_seeder", log, StringComparison.Ordinal);
        Assert.Matches(SeederDone(), await uvlhub.LogAsync("migrator", Cancellation));

        // As under compose: the steps of a start are those of every start, and what seeds has seeded.
        var restarted = await uvlhub.RunCommandAsync("web", KnownResourceCommands.RestartCommand, [], Cancellation);
        Assert.True(restarted.Success, restarted.Message);
        await Eventually.IsAsync(
            () => uvlhub.ScalarAsync("uvlhubdb", "SELECT GROUP_CONCAT(seeded) FROM starts", Cancellation), rows => rows == "1,1",
            what: "both starts");
    }

    [Fact(Timeout = 180_000)]
    public async Task A_step_that_does_not_end_is_named_on_the_console()
    {
        using var checkout = new SampleCheckout();
        await File.WriteAllTextAsync(
            checkout.File("docker/entrypoints/development_entrypoint.sh"),
            "#!/bin/sh\npython -c 'import time; time.sleep(1000)'\nexec flask run --host=0.0.0.0 --port=5000 --reload --debug\n",
            Cancellation);
        var instance = Uvlhub.NewInstance();
        try
        {
            await using var host = AppHostProcess.Start(
                new Dictionary<string, string>(), $"--Uvlhub:Path={checkout.Path}", $"--Uvlhub:Instance={instance}");
            await host.PrintedAsync(
                "web does not serve yet: its start script is at docker/entrypoints/development_entrypoint.sh:2: 'python -c "
                + "'import time; time.sleep(1000)''", Cancellation);
        }
        finally
        {
            await Uvlhub.RemoveLeftoversAsync(instance);
        }
    }

    [GeneratedRegex(@"development_entrypoint\.sh:15: 'flask shell <<'PYTHON'' is done after \d+\.\d\d s")]
    private static partial Regex ShellDone();

    [GeneratedRegex(@"development_entrypoint\.sh:22: 'python -c [^\n]*' failed with exit code 3 \(passed over [^\n]*\) after \d+\.\d\d s")]
    private static partial Regex OptionalFailed();

    [GeneratedRegex(@"development_entrypoint\.sh:11: 'python -m scripts.second_seeder' is done after \d+\.\d\d s")]
    private static partial Regex SeederDone();
}
