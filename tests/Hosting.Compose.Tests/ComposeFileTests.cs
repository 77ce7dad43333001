using UvlhubAspire.Engine;
using Xunit;

namespace UvlhubAspire.Hosting.Compose.Tests;

public sealed class ComposeFileTests : IDisposable
{
    private readonly TemporaryFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Fact]
    public void What_the_engine_has_an_option_for_is_ready_to_be_passed_on()
    {
        var file = Read("""
            services:
              web:
                image: web
                shm_size: 2gb
                user: "1000:1000"
                working_dir: /srv
                init: true
                privileged: false
                cap_add: [ NET_ADMIN, SYS_PTRACE ]
                extra_hosts: [ "host.docker.internal:host-gateway", "six=[::1]" ]
                labels: { a: b }
                ulimits: { nproc: 65535, nofile: { soft: 20000, hard: 40000 } }
                platform: linux/amd64
                stop_grace_period: 1m10s
                sysctls: [ net.core.somaxconn=1024 ]
                deploy: { resources: { limits: { cpus: "0.5", memory: 50M } } }
            """);

        Assert.Empty(file.Findings);
        Assert.Empty(Web(file).Unsupported);
        Assert.Equal(
            [
                "--shm-size 2gb", "--user 1000:1000", "--workdir /srv", "--init", "--cap-add NET_ADMIN", "--cap-add SYS_PTRACE",
                "--add-host host.docker.internal=host-gateway", "--add-host six=::1", "--label a=b", "--ulimit nproc=65535",
                "--ulimit nofile=20000:40000", "--platform linux/amd64", "--stop-timeout 70", "--sysctl net.core.somaxconn=1024",
                "--cpus 0.5", "--memory 50M",
            ],
            Web(file).Options.Select(option => string.Join(' ', option.Words)));
    }

    [Theory]
    [InlineData("extends: web", "web extends itself")]
    [InlineData("extends: { service: nobody }", "has no service nobody")]
    [InlineData("extends: { file: nowhere.yml, service: web }", "there is no file")]
    public void An_extends_that_leads_nowhere_keeps_the_service_from_running(string keys, string reason)
    {
        var finding = Assert.Single(Read($"services:\n  web:\n    image: web\n    {keys}\n").Findings);
        Assert.Contains(reason, finding.Problem, StringComparison.Ordinal);
        Assert.Equal(("web", 4, true), (finding.Service, finding.At.Line, finding.IsFatal));
    }

    [Fact]
    public void A_variable_that_is_not_set_is_named_once_and_one_that_must_be_is_fatal()
    {
        var file = Read("""
            services:
              web:
                image: web:$TAG
                environment: [ "A=${TAG}", "TOKEN=${TOKEN:?ask your team}" ]
            """);

        Assert.Equal(
            [(3, "the variable TAG is not set and counts as empty; set it in the checkout's "
                + ".env", false), (4, "the variable TOKEN must be set: ask your team", true)],
            file.Findings.Select(finding => (finding.At.Line, finding.Problem, finding.IsFatal)));
    }

    [Fact]
    public void What_cannot_be_read_is_named_with_its_line_and_the_rest_is_read()
    {
        var file = Read("""
            services:
              web:
                image: web
                ports:
                  - "http:80"
                  - published: 80
                volumes: [ "a:b:c:d", "./x:relative" ]
                restart: sometimes
                init: perhaps
                healthcheck: { interval: soon, test: [ curl ] }
                depends_on: { db: { condition: service_perfect } }
                environment: nothing
                networks: [ lost ]
                command: [ "still", "read" ]
              db: { ports: [ "5432:5432" ] }
            include: [ other.yml ]
            servics: {}
            """);

        Assert.Equal(
            [
                (null, 16, "include"), (null, 17, "servics"), ("web", 5, "ports"), ("web", 6, "ports"), ("web", 7, "volumes"), ("web", 7, "volumes"),
                ("web", 8, "restart"), ("web", 9, "init"), ("web", 10, "interval"), (
                    "web", 10, "healthcheck.test"), ("web", 11, "depends_on"),
                ("web", 13, "networks"), ("db", 15, "image"),
            ],
            file.Findings.Select(finding => (finding.Service, finding.At.Line, finding.Subject)));
        Assert.All(
            file.Findings,
            finding => Assert.StartsWith($"{In("compose.yaml")}:{finding.At.Line}: ", finding.ToString(), StringComparison.Ordinal));
        Assert.Equal(["still", "read"], Web(file).Command!);
        Assert.Equal([("nothing", null)], Web(file).Environment.Select(variable => (variable.Name, variable.Value)));
    }

    [Fact]
    public void Keys_that_the_model_has_no_word_for_are_kept_with_their_line_and_reason()
    {
        var file = Read("""
            services:
              web:
                image: web
                network_mode: host
                logging: { driver: none }
                imagee: web
                deploy: { placement: { max_replicas_per_node: 1 } }
                x-note: mine
                develop: { watch: [] }
            """);

        Assert.Equal(
            [("network_mode", 4), ("logging", 5), ("imagee", 6), ("deploy.placement", 7)],
            Web(file).Unsupported.Select(key => (key.Key, key.At.Line)));
        Assert.Contains("misspelt", Web(file).Unsupported[2].Reason, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("services:\n  web:\n    image: \"web\n", 3)]
    [InlineData("services:\n  web:\n   image: a\n  image: b\n c: d\n", 5)]
    [InlineData("services:\n  web:\n    image: a\n    image: b\n", 4)]
    [InlineData("services:\n\tweb:\n", 2)]
    [InlineData("services:\n  web: *unknown\n", 2)]
    [InlineData("services:\n  web:\n    ports: [ \"80:80\"\n  db:\n", 4)]
    public void Malformed_yaml_is_one_message_with_file_and_line(string text, int line)
    {
        var exception = Assert.Throws<UserErrorException>(() => Read(text));
        Assert.Equal((In("compose.yaml"), line), (exception.File, exception.Line));
        Assert.StartsWith($"{In("compose.yaml")}:{line}: this is not valid YAML: ", exception.Message, StringComparison.Ordinal);
        Assert.DoesNotContain("(Line:", exception.Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("", "empty")]
    [InlineData("- a\n- b\n", "no compose file")]
    [InlineData("web:\n  image: a\n", "no 'services:'")]
    [InlineData("services:\n", "no 'services:'")]
    public void A_file_that_is_no_compose_file_is_said_to_be_none(string text, string reason) =>
        Assert.Contains(reason, Assert.Throws<UserErrorException>(() => Read(text)).Message, StringComparison.Ordinal);

    [Fact]
    public void An_anchor_that_contains_itself_ends_in_a_message()
    {
        var exception = Assert.Throws<UserErrorException>(() => Read("services:\n  web: &web\n    image: a\n    <<: *web\n"));
        Assert.Equal(In("compose.yaml"), exception.File);
    }

    [Fact]
    public void An_override_file_goes_on_top_of_the_first()
    {
        var first = _folder.Write(
            "docker-compose.yml", "services:\n  web: { image: a, environment: { A: 1, B: 1 } }\n  db: { image: db }\nvolumes: { data: }\n");
        var over = _folder.Write(
            "docker-compose.override.yml",
            "services:\n  web: { environment: { B: 2 }, ports: [ \"80:80\" ] }\n  mail: { image: mail, volumes: [ \"data:/data\" ] }\n");
        var file = ComposeFile.Read(first, _ => null, over);

        Assert.Empty(file.Findings);
        Assert.Equal(["web", "db", "mail"], file.Services.Select(service => service.Name));
        Assert.Equal("a", Web(file).Image);
        Assert.Equal([("A", "1"), ("B", "2")], Web(file).Environment.Select(variable => (variable.Name, variable.Value)));
        Assert.Equal(over, Web(file).Ports.Single().At.File);
    }

    private string In(string path) => Path.Combine(_folder.Path, path);

    private static ComposeService Web(ComposeFile file) => file.Service("web")!;

    private ComposeFile Read(string text, string path = "compose.yaml") =>
        ComposeFile.Read(_folder.Write(path, text), _ => null);
}
