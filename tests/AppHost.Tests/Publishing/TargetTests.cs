using System.Text;
using System.Text.RegularExpressions;
using UvlhubAspire.AppHost.Publishing;
using UvlhubAspire.AppHost.Uvlhub;
using UvlhubAspire.Hosting.Compose;
using Xunit;

namespace UvlhubAspire.AppHost.Tests.Publishing;

/// <summary>One small model, spelled for each target.</summary>
public sealed class TargetTests : IDisposable
{
    private static readonly PublishedVariable s_password = new("MARIADB_PASSWORD", "the site's password", IsSecret: true);
    private static readonly PublishedVariable s_domain = new("DOMAIN", "the site's name", IsSecret: false);

    private readonly TemporaryFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Fact]
    public void Compose_is_read_back_as_it_was_meant()
    {
        var file = ComposeFile.Read(
            _folder.Write("docker-compose.yml", Text(new ComposeTarget(), "docker-compose.yml")), name => name switch
        {
            "MARIADB_PASSWORD" => "p$w",
            "DOMAIN" => "a.org",
            _ => null,
        });

        Assert.Equal(["db", "migrator", "web", "nginx", "certbot"], file.Services.Select(service => service.Name));
        Assert.Equal("hub:v1", file.Service("web")!.Image);
        Assert.Equal("p$w", file.Service("web")!.Environment.Single(variable => variable.Name == "MARIADB_PASSWORD").Value);
        Assert.Equal("costs 5$", file.Service("web")!.Environment.Single(variable => variable.Name == "NOTE").Value);
        Assert.Equal(
            [("migrator", ComposeCondition.Completed)], file.Service("web")!.DependsOn
                .Select(dependency => (dependency.Service, dependency.Condition)));
        Assert.Equal([80, 443], file.Service("nginx")!.Ports.Select(port => port.Target));
        Assert.Empty(file.Service("web")!.Ports);
        Assert.Empty(file.Service("db")!.Ports);
    }

    [Fact]
    public void The_template_of_settings_asks_for_every_variable_and_gives_no_secret()
    {
        var lines = Text(new ComposeTarget(), ".env.template").Split('\n');
        Assert.Contains("MARIADB_PASSWORD=", lines);
        Assert.Contains("DOMAIN=", lines);
        Assert.Contains("VERSION=v1", lines);
    }

    [Fact]
    public void A_swarm_gets_secrets_as_files_replaces_with_the_new_first_and_rolls_back()
    {
        var stack = Text(new SwarmTarget(), "stack.yml");
        var web = stack[stack.IndexOf("\n  web:", StringComparison.Ordinal)..stack.IndexOf("\n  nginx:", StringComparison.Ordinal)];
        Assert.Contains("MARIADB_PASSWORD_FILE: /run/secrets/mariadb_password", web, StringComparison.Ordinal);
        Assert.DoesNotContain("MARIADB_PASSWORD:", web, StringComparison.Ordinal);
        Assert.Contains("order: start-first", web, StringComparison.Ordinal);
        Assert.Contains("failure_action: rollback", web, StringComparison.Ordinal);
        Assert.Contains("docker secret create hub_mariadb_password FILE", stack, StringComparison.Ordinal);
        Assert.Contains("mode: replicated-job", stack, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("db", "node.labels.uvlhub.data == true", "- db_data:/var/lib/mysql")]
    [InlineData("migrator", "node.labels.uvlhub.data == true", "- snapshots:/snapshots")]
    [InlineData("web", "node.labels.${WEB_LABEL:-uvlhub.data} == true", "- ${UPLOADS:-uploads}:/app/uploads")]
    [InlineData("nginx", "node.labels.uvlhub.data == true", "mode: global")]
    public void Of_a_swarms_nodes_one_keeps_the_data_and_settings_say_which_run_the_site(string service, string placement, string also)
    {
        var text = Regex.Match(Text(new SwarmTarget(), "stack.yml"), $@"^  {service}:\n(    .*\n)+", RegexOptions.Multiline).Value;
        Assert.Contains(placement, text, StringComparison.Ordinal);
        Assert.Contains(also, text, StringComparison.Ordinal);
        Assert.Contains("WEB_LABEL=uvlhub.data", Text(new SwarmTarget(), "settings.env.template").Split('\n'));
        Assert.Contains("UPLOADS=uploads", Text(new SwarmTarget(), "settings.env.template").Split('\n'));
    }

    // As an AppHost runs it, with the options of a team's compose file.
    private static readonly string[] s_options =
    [
        "--init", "--workdir", "/app", "--cap-drop", "ALL", "--security-opt", "no-new-privileges", "--user", "1000:1000", "--memory", "512m",
        "--cpus=0.5", "--pids-limit", "100", "--ulimit", "nofile=1024:2048", "--sysctl", "net.core.somaxconn=1024", "--shm-size", "64m",
        "--read-only", "--add-host", "registry=10.0.0.1", "--stop-timeout", "90", "--health-cmd", "true", "--odd", "1",
    ];

    [Fact]
    public void What_a_container_is_started_with_is_started_with_it_by_compose_as_well()
    {
        var text = Text(new ComposeTarget(), "docker-compose.yml", WithOptions());
        var service = ComposeFile.Read(_folder.Write("docker-compose.yml", text), _ => "x").Service("web")!;
        var words = service.Options.SelectMany(option => option.Words).ToList();
        foreach (var expected in new[]
        {
            "--workdir /app", "--cap-drop ALL", "--security-opt no-new-privileges", "--user 1000:1000", "--memory 512m", "--cpus 0.5",
            "--pids-limit 100", "--ulimit nofile=1024:2048", "--sysctl net.core.somaxconn=1024", "--shm-size 64m", "--read-only",
            "--add-host registry=10.0.0.1", "--stop-timeout 90",
        })
        {
            Assert.Contains(expected, string.Join(' ', words), StringComparison.Ordinal);
        }

        Assert.Equal(["web: compose has no word for --odd 1"], new ComposeTarget().Lacks(WithOptions()));
    }

    [Fact]
    public void A_stack_has_what_it_has_a_word_for_and_the_rest_is_named()
    {
        var model = WithOptions();
        var stack = Text(new SwarmTarget(), "stack.yml", model);
        var web = stack[stack.IndexOf("\n  web:", StringComparison.Ordinal)..stack.IndexOf("\n  nginx:", StringComparison.Ordinal)];
        foreach (var expected in new[]
        {
            "cap_drop:\n      - ALL", "user: 1000:1000", "working_dir: /app", "nofile:\n        soft: 1024\n        hard: 2048",
            "net.core.somaxconn: \"1024\"", "limits:\n          memory: 512m\n          cpus: \"0.5\"\n          pids: 100",
            "extra_hosts:\n      - registry:10.0.0.1", "read_only: true", "stop_grace_period: 90s",
        })
        {
            Assert.Contains(expected, web, StringComparison.Ordinal);
        }

        string[] lacks = ["web: a stack has no word for shm_size 64m", "web: a stack has no word for --odd 1"];
        Assert.Equal(lacks, new SwarmTarget().Lacks(model));
        Assert.All(lacks, line => Assert.Contains($"# {line}\n", stack, StringComparison.Ordinal));
    }

    [Fact]
    public void An_image_that_reads_no_secret_from_a_file_has_it_as_a_setting_and_that_is_said()
    {
        var model = Model() with
        {
            Services = [.. Model().Services.Select(service => service.Name == "certbot" ? service with
            {
                Environment = new Dictionary<string, PublishedValue> { ["KEY"] = new([s_password]) },
            } : service)],
        };
        var stack = Text(new SwarmTarget(), "stack.yml", model);
        Assert.Contains("KEY: ${MARIADB_PASSWORD:?fill it in in settings.env}", stack, StringComparison.Ordinal);
        Assert.Contains("MARIADB_PASSWORD=", Text(new SwarmTarget(), "settings.env.template", model).Split('\n'));
        Assert.Contains("certbot: MARIADB_PASSWORD stands in the service's definition", new SwarmTarget().Lacks(model).Single(), StringComparison.Ordinal);
        Assert.DoesNotContain("MARIADB_PASSWORD=", Text(new SwarmTarget(), "settings.env.template").Split('\n'));
    }

    [Theory]
    [InlineData("docker-compose.yml")]
    [InlineData("stack.yml")]
    public void A_folder_of_the_server_is_mounted_and_is_no_volume(string file)
    {
        var model = Model() with
        {
            Services = [Service("web", PublishedKind.Replicated), Service("backup", PublishedKind.Single) with { Volumes = [new("/mnt/backups", "/mnt/backups", IsReadOnly: false)] }],
        };
        var text = Text(file == "stack.yml" ? new SwarmTarget() : new ComposeTarget(), file, model);
        Assert.Contains("- /mnt/backups:/mnt/backups\n", text, StringComparison.Ordinal);
        Assert.DoesNotContain("/mnt/backups: ", text, StringComparison.Ordinal);
    }

    private static PublishedModel WithOptions() => Model() with
    {
        Services = [.. Model().Services.Select(service => service.Name == "web" ? service with
        {
            Options = [.. PublishedModelReader.Options(s_options)],
        } : service)],
    };

    [Fact]
    public void A_secret_inside_other_text_is_refused_where_it_cannot_be_said()
    {
        var model = Model() with { Services = [Service("web", PublishedKind.Replicated) with { Environment = new Dictionary<string, PublishedValue> { ["URL"] = new(["db://", s_password]) } }] };
        Assert.Contains(
            "URL", Assert.Throws<Aspire.Hosting.DistributedApplicationException>(() => new SwarmTarget().Write(model).ToList()).Message,
            StringComparison.Ordinal);
    }

    private static string Text(IPublishTarget target, string file, PublishedModel? model = null) =>
        Encoding.UTF8.GetString(target.Write(model ?? Model()).Single(written => written.Path == file).Content.Span);

    private static PublishedService Service(string name, PublishedKind kind) => new()
    {
        Name = name,
        Kind = kind,
        Image = new PublishedImage(
            kind is PublishedKind.Replicated or PublishedKind.Job ? "hub" : name, "v1",
            kind is PublishedKind.Replicated or PublishedKind.Job),
        ReadsSecretFiles = kind is PublishedKind.Replicated or PublishedKind.Job or PublishedKind.Database,
    };

    private static PublishedModel Model()
    {
        var password = new Dictionary<string, PublishedValue>
        {
            ["MARIADB_PASSWORD"] = new([s_password]),
            ["NOTE"] = PublishedValue.Text("costs 5$"),
            ["NAME"] = new([s_domain]),
        };
        return new PublishedModel
        {
            Name = "hub",
            Version = "v1",
            Domain = PublishedValue.Text("a.org"),
            Services =
            [
                Service("db", PublishedKind.Database) with
                {
                    Environment = password,
                    Volumes = [new("db_data", "/var/lib/mysql", IsReadOnly: false)],
                    Ports = [3306],
                    Probe = new PublishedProbe(["sh", "-c", "echo \"$HOME\""]),
                },
                Service(
                    "migrator",
                    PublishedKind.Job) with { Environment = password, DependsOn = [new("db", PublishedCondition.Started)], Volumes =
                    [
                        new("snapshots", "/snapshots", IsReadOnly: false),
                    ] },
                Service("web", PublishedKind.Replicated) with
                {
                    Environment = password,
                    Ports = [5000],
                    Volumes = [new("uploads", "/app/uploads", IsReadOnly: false)],
                    DependsOn = [new("migrator", PublishedCondition.Completed)],
                    Probe = new PublishedProbe(["true"]),
                },
                Service("nginx", PublishedKind.Gateway) with
                {
                    Ports = [80, 443],
                    Volumes = [new("letsencrypt", "/etc/letsencrypt", IsReadOnly: true)],
                    Files =
                    [
                        new(Encoding.UTF8.GetBytes("events {}\n"), "nginx/nginx.conf", "/etc/nginx/nginx.conf", IsConfiguration: true),
                    ],
                },
                Service(
                    "certbot",
                    PublishedKind.Certificates) with { Entrypoint = "sh", Command = ["-c", "sleep 1"], Volumes =
                    [
                        new("letsencrypt", "/etc/letsencrypt", IsReadOnly: false),
                    ] },
            ],
        };
    }
}
