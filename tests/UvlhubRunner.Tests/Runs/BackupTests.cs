using CliWrap;
using CliWrap.Buffered;
using UvlhubAspire.Checkout;
using Xunit;

namespace UvlhubAspire.UvlhubRunner.Tests.Runs;

/// <summary>Backups in a repository of restic's.</summary>
public sealed class BackupTests(MariaDBFixture fixture, Restic restic) : IClassFixture<Restic>, IDisposable
{
    private readonly TemporaryFolder _elsewhere = new();

    private string Repository => Path.Combine(_elsewhere.Path, "repository");

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    public void Dispose()
    {
        _elsewhere.Dispose();
        File.Delete(SharedNames.BackupState);
    }

    [Fault(FaultArea.Production, "the server is lost, with all its volumes")]
    [Fact(Timeout = 300_000)]
    public async Task A_server_that_has_lost_everything_gets_its_rows_and_uploads_back()
    {
        await using var minihub = await BackedUpAsync();
        var before = await minihub.ContentAsync();
        await LoseEverythingAsync(minihub);
        // What has just been set up makes backups before anybody restores anything.
        await minihub.SucceedAsync("schedule", "--once");

        var list = (await minihub.SucceedAsync("backups")).Answer.Split('\n');
        Assert.Contains("2 backups in", list[0], StringComparison.Ordinal);
        Proof.Happens("a new server's own backup, which is newer and empty, is told apart from those of the lost one", () =>
        {
            Assert.DoesNotContain("of another server", list[1], StringComparison.Ordinal);
            Assert.Contains(" 3 rows,", list[2], StringComparison.Ordinal);
            Assert.Contains(", of another server", list[2], StringComparison.Ordinal);
        });
        var result = await minihub.SucceedAsync("restore-backup", Id(list[2]));

        Proof.Reads("Restored the snapshot", result.Output);
        await Proof.DataAsync("every row is there, compared one by one", async () => Assert.Equal(before, await minihub.ContentAsync()));
        Proof.Data(
            "what was uploaded is there, compared byte by byte", "features\n    A\n", await File.ReadAllTextAsync(Upload(minihub), Cancellation));
        list = (await minihub.SucceedAsync("backups")).Answer.Split('\n');
        Proof.Happens("'restore-backup' goes on where the lost server has left off", () =>
        {
            Assert.Contains(", of another server", list[1], StringComparison.Ordinal);
            Assert.DoesNotContain("of another server", list[2], StringComparison.Ordinal);
        });
    }

    [Fact(Timeout = 300_000)]
    public async Task A_backup_is_forgotten_by_its_age_but_never_for_those_of_another_server()
    {
        await using var minihub = await BackedUpAsync();
        foreach (var kept in (string[])["KeepWeekly", "KeepMonthly"])
        {
            minihub.Settings[$"Uvlhub__Backups__{kept}"] = "0";
        }

        minihub.Settings["Uvlhub__Backups__KeepDaily"] = "1";
        await restic.RunAsync(minihub, "rewrite", "--forget", "--new-time", "2026-01-01 12:00:00", "latest");
        await minihub.SucceedAsync("schedule", "--once");
        await minihub.SucceedAsync("schedule", "--once");
        var lines = (await minihub.SucceedAsync("backups")).Answer.Split('\n');
        Assert.Contains("2 backups in", lines[0], StringComparison.Ordinal);

        await LoseEverythingAsync(minihub);
        await restic.RunAsync(minihub, "rewrite", "--forget", "--new-time", "2026-01-01 12:00:00", Id(lines[1]), Id(lines[2]));
        await minihub.SucceedAsync("schedule", "--once");
        await minihub.SucceedAsync("schedule", "--once");
        Assert.Contains("4 backups in", (await minihub.SucceedAsync("backups")).Answer, StringComparison.Ordinal);
    }

    [Fact(Timeout = 300_000)]
    public async Task Of_the_uploads_only_what_is_new_takes_room()
    {
        await using var minihub = await BackedUpAsync();
        var bytes = new byte[5_000_000];
        Random.Shared.NextBytes(bytes);
        await File.WriteAllBytesAsync(Path.Combine(Path.GetDirectoryName(Upload(minihub))!, "large.zip"), bytes, Cancellation);
        await minihub.SucceedAsync("schedule", "--once");
        await minihub.SucceedAsync("schedule", "--once");
        Assert.InRange(
            new DirectoryInfo(Repository).EnumerateFiles("*", SearchOption.AllDirectories).Sum(file => file.Length), 5_000_000, 6_000_000);
        // Here there is no archive of them, and of the rows the newest dump alone.
        Assert.Equal(3, Directory.GetFiles(minihub.Snapshots).Length);
    }

    [Fact(Timeout = 300_000)]
    public async Task What_keeps_a_backup_from_being_made_is_one_message()
    {
        await using var minihub = await BackedUpAsync();

        minihub.Settings["RESTIC_PASSWORD"] = "another one";
        await RefusesAsync($"{Repository} does not open with this password.", "BACKUP_PASSWORD");
        minihub.Settings["RESTIC_PASSWORD"] = "";
        var result = await minihub.RunAsync("schedule", "--once");
        Assert.Equal(2, result.ExitCode);
        Assert.Contains("BACKUP_PASSWORD is empty here", result.Output, StringComparison.Ordinal);
        minihub.Settings["RESTIC_PASSWORD"] = "the right one";

        foreach (var pack in Directory.GetFiles(Path.Combine(Repository, "data"), "*", SearchOption.AllDirectories))
        {
            File.Delete(pack);
        }

        await RefusesAsync($"restic check {Repository}: ", "does not exist; repository contains errors");

        // As if its disk were not mounted.
        Directory.Move(Repository, $"{Repository}.away");
        await RefusesAsync($"There is no repository in {Repository} any more.", "Mount what it is on");
        Assert.False(Directory.Exists(Repository));
        minihub.Settings["Uvlhub__Backups__Repository"] = "";
        result = await minihub.RunAsync("backups");
        Assert.Equal(2, result.ExitCode);
        Assert.Contains("Uvlhub:Backups:Repository is not set", result.Output, StringComparison.Ordinal);

        async Task RefusesAsync(params string[] says)
        {
            var refused = await minihub.RunAsync("schedule", "--once");
            Assert.Equal(3, refused.ExitCode);
            Assert.All(says, text => Assert.Contains(text, refused.Output, StringComparison.Ordinal));
            Assert.DoesNotContain("   at ", refused.Output, StringComparison.Ordinal);
        }
    }

    [Fact(Timeout = 300_000)]
    [Trait("Needs", "ssh")]
    public async Task Another_machine_is_reached_with_a_key_and_no_other_is_taken_for_it()
    {
        string[] programs = [.. System.Environment.GetEnvironmentVariable("PATH")!.Split(':').Select(folder => Path.Combine(folder, "ssh-keygen"))];
        Assert.SkipUnless(programs.Any(File.Exists), "there is no ssh on this machine");
        _elsewhere.Write("Dockerfile", """
            FROM uvlhub-aspire/debian:trixie
            RUN apt-get update && apt-get install -y --no-install-recommends openssh-server && mkdir -p /run/sshd /root/.ssh
            """);
        const string Image = "uvlhub-aspire/runner-tests:sshd";
        await TestContainer.DockerAsync("build", "--quiet", "--tag", Image, _elsewhere.Path);
        await using var other = await TestContainer.OfImageAsync(Image, command: ["/usr/sbin/sshd", "-D"]);
        var key = Path.Combine(_elsewhere.Path, "key");
        await Cli.Wrap("ssh-keygen").WithArguments(["-q", "-t", "ed25519", "-N", "", "-f", key]).ExecuteBufferedAsync(Cancellation);
        await TestContainer.DockerAsync("cp", $"{key}.pub", $"{other.Name}:/root/.ssh/authorized_keys");
        await other.ExecAsync("chown", "-R", "root:root", "/root/.ssh");
        var address = await TestContainer.DockerAsync("inspect", "--format", "{{.NetworkSettings.IPAddress}}", other.Name);
        var known = (await other.ExecAsync("cat", "/etc/ssh/ssh_host_ed25519_key.pub")).Output;

        await using var minihub = await Minihub.CreateAsync(fixture);
        await minihub.ExecuteAsync("CREATE TABLE t (id INT PRIMARY KEY)");
        restic.Serve(minihub, $"sftp:root@{address}:/srv/backups");
        minihub.Settings["BACKUP_SSH_KEY"] = await File.ReadAllTextAsync(key, Cancellation);
        var result = await minihub.RunAsync("schedule", "--once");
        Assert.Equal(3, result.ExitCode);
        Assert.Contains("host key is known for", result.Output, StringComparison.Ordinal);

        minihub.Settings["Uvlhub__Backups__KnownHosts"] = $"{address} {known}";
        await minihub.SucceedAsync("schedule", "--once");
        Assert.Contains("1 backups in sftp:", (await minihub.SucceedAsync("backups")).Answer, StringComparison.Ordinal);
        Assert.Empty(Directory.GetDirectories(Path.GetTempPath(), "uvlhub-ssh-*"));
    }

    [Theory(Timeout = 60_000)]
    [InlineData("Every", "00:00:59", "a time such as 00:05:00, which is five minutes, at least 00:01:00 and no longer than 49 days")]
    [InlineData("KeepDaily", "0", "a number from 1")]
    [InlineData("Repository", "backups", "a folder of the server, such as /mnt/backups, sftp:user@host:/folder, or s3:https://host/bucket")]
    public async Task A_setting_that_makes_no_sense_is_refused(string setting, string value, string says)
    {
        await using var minihub = await Minihub.CreateAsync(fixture);
        minihub.Settings[$"Uvlhub__Backups__{setting}"] = value;
        var result = await minihub.RunAsync("backups");
        Assert.Equal(2, result.ExitCode);
        Assert.Contains($"Uvlhub:Backups:{setting} must be {says}", result.Output, StringComparison.Ordinal);
    }

    [Fact(Timeout = 300_000)]
    public async Task The_first_one_is_made_at_once_and_what_fails_is_said_and_tried_again()
    {
        File.Delete(SharedNames.BackupState);
        await using var minihub = await Minihub.CreateAsync(fixture);
        await minihub.ExecuteAsync("CREATE TABLE t (id INT PRIMARY KEY)");
        restic.Serve(minihub, Repository);
        await File.WriteAllTextAsync(Repository, "no folder", Cancellation);

        using var schedule = minihub.Start("schedule");
        await schedule.WaitForAsync("The backup: attempt 1 failed", Cancellation);
        var state = await File.ReadAllLinesAsync(SharedNames.BackupState, Cancellation);
        Assert.Equal("0", state[0]);
        Assert.Contains(Repository, state[1], StringComparison.Ordinal);

        File.Delete(Repository);
        await schedule.WaitForAsync("Made a repository of backups", Cancellation);
        await Eventually.TrueAsync(
            async () => (await File.ReadAllTextAsync(SharedNames.BackupState, Cancellation)).Contains("the last backup is of"),
            what: "a backup");
        state = await File.ReadAllLinesAsync(SharedNames.BackupState, Cancellation);
        Assert.InRange(
            DateTimeOffset.FromUnixTimeSeconds(long.Parse(state[0], System.Globalization.CultureInfo.InvariantCulture)),
            DateTimeOffset.UtcNow.AddHours(47), DateTimeOffset.UtcNow.AddHours(49));

        // A container that is replaced makes none before it is due.
        schedule.Kill();
        using var again = minihub.Start("schedule");
        await Task.Delay(TimeSpan.FromSeconds(10), Cancellation);
        again.Kill();
        Assert.Contains("1 backups in", (await minihub.SucceedAsync("backups")).Answer, StringComparison.Ordinal);
    }

    private async Task<Minihub> BackedUpAsync()
    {
        var minihub = await Minihub.CreateAsync(fixture);
        await minihub.ExecuteAsync("CREATE TABLE t (id INT PRIMARY KEY); INSERT INTO t VALUES (1), (2), (3)");
        Directory.CreateDirectory(Path.GetDirectoryName(Upload(minihub))!);
        await File.WriteAllTextAsync(Upload(minihub), "features\n    A\n", Cancellation);
        restic.Serve(minihub, Repository);
        await minihub.SucceedAsync("schedule", "--once");
        return minihub;
    }

    private static async Task LoseEverythingAsync(Minihub minihub)
    {
        await minihub.ExecuteAsync("DROP TABLE t");
        Directory.Delete(minihub.Snapshots, recursive: true);
        Directory.Delete(Path.GetDirectoryName(Path.GetDirectoryName(Upload(minihub))!)!, recursive: true);
    }

    private static string Upload(Minihub minihub) => Path.Combine(minihub.Checkout, "uploads", "user_1", "Ñ model.uvl");

    private static string Id(string line) => line.Trim().Split(' ')[0];
}
