using System.Diagnostics;
using System.Globalization;
using System.Net;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using Xunit;

namespace UvlhubAspire.UvlhubRunner.Tests.Runs;

/// <summary>A server elsewhere proves that it is the one that was named, to the runner and to MariaDB's programs.</summary>
public sealed class VerifiedServerTests
{
    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    [Fault(FaultArea.Database, "somebody else answers in the place of a hosted database")]
    [Fact(Timeout = 300_000)]
    public async Task Who_answers_in_a_servers_place_and_takes_any_password_is_not_taken_for_it()
    {
        await using var impostor = await TestContainer.StartAsync(
            "mariadb", ["--publish", "127.0.0.1::3306", "--entrypoint", "sh"],
            [
                "-c",
                "mariadb-install-db --user=root --datadir=/tmp/data > /dev/null && exec mariadbd --user=root --datadir=/tmp/data "
                + "--socket=/tmp/socket --bind-address=0.0.0.0 --skip-grant-tables --skip-networking=0",
            ]);
        await TestContainer.EventuallyAsync(async () =>
            (await impostor.LogsAsync()).Contains("ready for connections", StringComparison.Ordinal)
                ? true
                : throw new InvalidOperationException("it does not listen"));
        using var folder = new TemporaryFolder();
        await using var minihub = Elsewhere(folder, new DatabasePlace(
            "test", "any", "a password", "", impostor.Name, await impostor.PortAsync(3306), "127.0.0.1", 3306));

        var refused = await minihub.RunAsync("backup");

        Proof.Happens("refused, with what to set", () =>
        {
            Assert.True(refused.ExitCode == 4, refused.Output);
            Assert.Contains("Uvlhub:Database:CertificateAuthority", refused.Output, StringComparison.Ordinal);
            Assert.DoesNotContain("   at ", refused.Output, StringComparison.Ordinal);
        });
        Proof.Reads("does not prove over TLS that it is 127.0.0.1", refused.Output);

        // What the setting is good for.
        var taken = await minihub.RunAsync("status", "--Uvlhub:Database:VerifyServer=false");
        Assert.DoesNotContain("does not prove", taken.Output, StringComparison.Ordinal);
    }

    [Fact(Timeout = 300_000)]
    public async Task A_server_elsewhere_is_known_by_the_certificate_of_the_authority_that_is_named()
    {
        using var folder = new TemporaryFolder();
        var (authority, certificate, key) = Certificates("127.0.0.1");
        await using var server = await MariaDBServer.StartAsync(
            new Dictionary<string, string> { ["/tls/ca.pem"] = authority, ["/tls/cert.pem"] = certificate, ["/tls/key.pem"] = key },
            Cancellation, "--ssl-ca=/tls/ca.pem", "--ssl-cert=/tls/cert.pem", "--ssl-key=/tls/key.pem", "--require-secure-transport=ON");
        WriteClients(folder, server);
        await using var minihub = Elsewhere(folder, DatabasePlace.Of(await server.CreateDatabaseAsync(Cancellation)));
        await minihub.ExecuteAsync("CREATE TABLE t (id INT PRIMARY KEY); INSERT INTO t VALUES (1)");

        minihub.Settings["Uvlhub__Database__CertificateAuthority"] = folder.Write("ca.pem", authority);
        await minihub.SucceedAsync("backup");
        var asked = await File.ReadAllTextAsync(Path.Combine(folder.Path, "asked"), Cancellation);
        Assert.Contains("--ssl-verify-server-cert", asked, StringComparison.Ordinal);
        Assert.Contains($"--ssl-ca={Path.Combine(folder.Path, "ca.pem")}", asked, StringComparison.Ordinal);

        minihub.Settings["Uvlhub__Database__CertificateAuthority"] = folder.Write("other.pem", Certificates("127.0.0.1").Authority);
        var refused = await minihub.RunAsync("backup");
        Assert.True(refused.ExitCode is 3 or 4 && refused.Output.Contains("TLS", StringComparison.Ordinal), refused.Output);
    }

    // As in the container of Render's migrator, where everything stands in the environment.
    private static Minihub Elsewhere(TemporaryFolder folder, DatabasePlace database)
    {
        var minihub = Minihub.Create(database);
        minihub.Settings.Clear();
        foreach (var (name, value) in new Dictionary<string, string>
        {
            ["Uvlhub__Environment"] = "Render",
            ["Uvlhub__Migrator__Local"] = "true",
            ["Uvlhub__Snapshots__Path"] = folder.Path,
            ["WORKING_DIR"] = minihub.Checkout,
            ["MARIADB_HOSTNAME"] = "127.0.0.1",
            ["MARIADB_PORT"] = database.HostPort.ToString(CultureInfo.InvariantCulture),
            ["MARIADB_DATABASE"] = database.Name,
            ["MARIADB_USER"] = database.User,
            ["MARIADB_PASSWORD"] = database.Password,
            ["PATH"] = $"{folder.Path}:{Environment.GetEnvironmentVariable("PATH")}",
        })
        {
            minihub.Settings[name] = value;
        }

        return minihub;
    }

    // MariaDB's programs of the server's image, by the names under which they are looked for; they write down what they are asked.
    private static void WriteClients(TemporaryFolder folder, MariaDBServer server)
    {
        foreach (var program in (string[])["mariadb", "mariadb-dump"])
        {
            var file = folder.Write(program, $"""
                #!/bin/sh
                printf '%s\n' "$@" >> {folder.Path}/asked
                exec docker run --rm --interactive --network host --env MYSQL_PWD --volume {folder.Path}:{folder.Path}:ro \
                    --entrypoint {program} {server.Image} "$@"

                """);
            Process.Start("chmod", ["+x", file]).WaitForExit();
        }
    }

    private static (string Authority, string Certificate, string Key) Certificates(string address)
    {
        var (from, to) = (DateTimeOffset.UtcNow.AddDays(-1), DateTimeOffset.UtcNow.AddDays(1));
        using var authorityKey = RSA.Create(2048);
        var request = new CertificateRequest(
            $"CN=authority {Convert.ToHexString(RandomNumberGenerator.GetBytes(4))}", authorityKey, HashAlgorithmName.SHA256,
            RSASignaturePadding.Pkcs1);
        request.CertificateExtensions.Add(new X509BasicConstraintsExtension(true, false, 0, true));
        using var authority = request.CreateSelfSigned(from, to);

        using var key = RSA.Create(2048);
        var served = new CertificateRequest("CN=server of a test", key, HashAlgorithmName.SHA256, RSASignaturePadding.Pkcs1);
        var names = new SubjectAlternativeNameBuilder();
        names.AddIpAddress(IPAddress.Parse(address));
        served.CertificateExtensions.Add(names.Build());
        using var certificate = served.Create(authority, from, to, [1, 2, 3, 4]);
        return (authority.ExportCertificatePem(), certificate.ExportCertificatePem(), key.ExportPkcs8PrivateKeyPem());
    }
}
