using Aspire.Hosting.ApplicationModel;
using UvlhubAspire.Engine;
using Xunit;

namespace UvlhubAspire.AppHost.Tests.Publishing;

/// <summary>Who has what backups need.</summary>
public sealed class PublishedBackupTests
{
    private const string Production = "--Uvlhub:Environment=Production";

    private static readonly string[] s_secrets = ["BACKUP_PASSWORD", "RESTIC_PASSWORD", "AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"];

    [Theory(Timeout = 60_000)]
    [InlineData("--operation=publish")]
    [InlineData("--Uvlhub:Backups:Repository=/mnt/backups", "--Uvlhub:Secrets=generated")]
    public async Task There_are_none_without_a_repository_and_none_beside_an_AppHost(params string[] settings)
    {
        await using var model = await EditionModel.CreateAsync(Edition.Course, Write, [Production, .. settings]);
        Assert.DoesNotContain("backup", model.Containers);
        Assert.DoesNotContain("BACKUP_PASSWORD", (await model.FactsAsync("web")).Environment.Keys);
    }

    [Fact(Timeout = 60_000)]
    public async Task A_folder_of_the_server_is_mounted_under_its_own_name_where_backups_are_made_and_where_people_ask_for_them()
    {
        await using var model = await EditionModel.CreateAsync(
            Edition.Course, Write, Production, "--operation=publish", "--Uvlhub:Backups:Repository=/mnt/backups");
        foreach (var name in (string[])["backup", "rosemary"])
        {
            var mounts = model.Container(name).Annotations.OfType<ContainerMountAnnotation>().ToList();
            Assert.Contains(mounts, mount => mount is { Source: "/mnt/backups", Target: "/mnt/backups" });
            Assert.Contains(mounts, mount => mount.Target.EndsWith("/snapshots", StringComparison.Ordinal));
            Assert.Contains(mounts, mount => mount.Target == "/app/uploads");
        }
    }

    [Fact(Timeout = 60_000)]
    public async Task The_secrets_of_backups_are_those_of_backups_and_of_the_toolbox()
    {
        await using var model = await EditionModel.CreateAsync(
            Edition.Course, Write, Production, "--operation=publish", "--Uvlhub:Backups:Repository=s3:https://host/bucket");
        foreach (var name in model.Containers)
        {
            string[] expected = name is "backup" or "rosemary" ? s_secrets[1..] : [];
            Assert.Equal(expected, s_secrets.Intersect((await model.FactsAsync(name)).Environment.Keys));
        }
    }

    [Fact(Timeout = 60_000)]
    public async Task Another_machine_whose_key_is_not_known_is_refused()
    {
        string[] settings = [Production, "--operation=publish", "--Uvlhub:Backups:Repository=sftp:u@host:/backups"];
        var refused = await Assert.ThrowsAsync<UserErrorException>(() => EditionModel.CreateAsync(Edition.Course, Write, settings));
        Assert.Contains("Uvlhub:Backups:KnownHosts is missing", refused.Message, StringComparison.Ordinal);
        await using var model = await EditionModel.CreateAsync(
            Edition.Course, Write, [.. settings, "--Uvlhub:Backups:KnownHosts=host ssh-ed25519 AAAA"]);
        Assert.Contains("BACKUP_SSH_KEY", (await model.FactsAsync("backup")).Environment.Keys);
    }

    private static void Write(TemporaryFolder folder)
    {
        folder.Write("docker/images/Dockerfile.prod", "FROM python:3.12-slim\nWORKDIR /app\n");
        folder.Write(
            ".env.production",
            "BACKUP_PASSWORD=b\nAWS_ACCESS_KEY_ID=a\nAWS_SECRET_ACCESS_KEY=s\nMARIADB_PASSWORD=p\nMARIADB_ROOT_PASSWORD=r\n");
    }
}
