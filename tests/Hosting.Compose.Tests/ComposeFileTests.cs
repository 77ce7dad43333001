using UvlhubAspire.Engine;
using Xunit;

namespace UvlhubAspire.Hosting.Compose.Tests;

public sealed class ComposeFileTests : IDisposable
{
    private readonly TemporaryFolder _folder = new();
    private readonly Dictionary<string, string> _variables = [];

    public void Dispose() => _folder.Dispose();

    [Fact]
    public void A_port_is_read_in_each_of_its_forms()
    {
        var file = Read("""
            services:
              web:
                image: web
                ports:
                  - "3000"
                  - 8000:80
                  - 22:22
                  - "127.0.0.1:8001:81"
                  - "127.0.0.1::82"
                  - "[::1]:8003:83"
                  - "6060:6060/udp"
                  - "9090-9091:8080-8081"
                  - "7000-7009:70"
                  - target: 443
                    published: "8443"
                    host_ip: 127.0.0.1
                    app_protocol: https
                    mode: host
                  - target: 53
                    protocol: udp
                expose: ["5000", 53/udp]
            """);

        Assert.Empty(file.Findings);
        Assert.Equal(
            [
                (3000, null, null, "tcp", null),
                (80, 8000, null, "tcp", null),
                (22, 22, null, "tcp", null),
                (81, 8001, "127.0.0.1", "tcp", null),
                (82, null, "127.0.0.1", "tcp", null),
                (83, 8003, "::1", "tcp", null),
                (6060, 6060, null, "udp", null),
                (8080, 9090, null, "tcp", null),
                (8081, 9091, null, "tcp", null),
                (70, 7000, null, "tcp", null),
                (443, 8443, "127.0.0.1", "tcp", "https"),
                (53, null, null, "udp", null),
            ],
            Web(file).Ports.Select(port => (port.Target, port.Published, port.HostAddress, port.Protocol, port.AppProtocol)));
        Assert.Equal(["5000", "53/udp"], Web(file).Expose);
    }

    [Fact]
    public void A_mount_is_read_in_each_of_its_forms()
    {
        var file = Read("""
            services:
              web:
                image: web
                volumes:
                  - ../:/app
                  - ./conf/nginx.conf:/etc/nginx/nginx.conf:ro
                  - /var/run/docker.sock:/var/run/docker.sock
                  - data:/data/
                  - data:/copy:ro,z
                  - /app/node_modules
                  - type: bind
                    source: ./long
                    target: /long
                    read_only: true
                    bind: { create_host_path: true }
                  - type: volume
                    source: data
                    target: /data2
                  - type: volume
                    target: /own
                  - type: tmpfs
                    target: /run
                    tmpfs: { size: 64m }
                tmpfs: /tmp
            volumes:
              data:
            """, "docker/compose.yaml");

        Assert.Empty(file.Findings);
        Assert.Equal(
            [
                (ComposeMountKind.Bind, _folder.Path, "/app", false),
                (ComposeMountKind.Bind, In("docker/conf/nginx.conf"), "/etc/nginx/nginx.conf", true),
                (ComposeMountKind.Bind, "/var/run/docker.sock", "/var/run/docker.sock", false),
                (ComposeMountKind.Volume, "data", "/data", false),
                (ComposeMountKind.Volume, "data", "/copy", true),
                (ComposeMountKind.Anonymous, null, "/app/node_modules", false),
                (ComposeMountKind.Bind, In("docker/long"), "/long", true),
                (ComposeMountKind.Volume, "data", "/data2", false),
                (ComposeMountKind.Anonymous, null, "/own", false),
            ],
            Web(file).Mounts.Select(mount => (mount.Kind, mount.Source, mount.Target, mount.IsReadOnly)));
        Assert.Equal(["/run:size=64m", "/tmp"], Web(file).Option("tmpfs"));
    }

    [Fact]
    public void The_environment_is_read_from_a_list_a_mapping_and_files()
    {
        var file = Read("""
            services:
              web:
                image: web
                environment:
                  A: 1
                  B: "yes"
                  EMPTY: ""
                  PASSED:
                env_file:
                  - ../.env
                  - path: other.env
                    required: false
              list:
                image: list
                environment:
                  - A=x=y
                  - PASSED
                env_file: ../.env
            """, "docker/compose.yaml");

        Assert.Empty(file.Findings);
        Assert.Equal(
            [("A", "1"), ("B", "yes"), ("EMPTY", ""), ("PASSED", null)],
            Web(file).Environment.Select(variable => (variable.Name, variable.Value)));
        Assert.Equal(
            [("A", "x=y"), ("PASSED", null)], file.Service("list")!.Environment.Select(variable => (variable.Name, variable.Value)));
        Assert.Equal(
            [(In(".env"), true), (In("docker/other.env"), false)], Web(file).EnvironmentFiles.Select(env => (env.Path, env.IsRequired)));
        Assert.Equal([In(".env")], file.Service("list")!.EnvironmentFiles.Select(env => env.Path));
    }

    [Fact]
    public void Image_build_command_and_entrypoint_are_read_in_each_of_their_forms()
    {
        var file = Read("""
            services:
              web:
                build:
                  context: ../
                  dockerfile: docker/images/Dockerfile.dev
                  target: final
                  args: { VERSION: "1", TOKEN: }
                image: fork/web:dev
                container_name: web_app_container
                command: [ "sh", "-c", "sh /app/entrypoint.sh" ]
                entrypoint: tini --
              short:
                build: ./bot
                command: sh -c "sleep 1 && exit"
                entrypoint: []
            """, "docker/compose.yaml");

        Assert.Empty(file.Findings);
        var web = Web(file);
        Assert.Equal(("fork/web:dev", "web_app_container"), (web.Image, web.ContainerName));
        Assert.Equal(
            (_folder.Path, In("docker/images/Dockerfile.dev"), "final"), (web.Build!.Context, web.Build.DockerfilePath, web.Build.Target));
        Assert.Equal([("VERSION", "1"), ("TOKEN", null)], web.Build.Arguments.Select(argument => (argument.Name, argument.Value)));
        Assert.Equal(["sh", "-c", "sh /app/entrypoint.sh"], web.Command!);
        Assert.Equal(["tini", "--"], web.Entrypoint!);
        var built = file.Service("short")!;
        Assert.Equal((In("docker/bot"), In("docker/bot/Dockerfile")), (built.Build!.Context, built.Build.DockerfilePath));
        Assert.Equal(["sh", "-c", "sleep 1 && exit"], built.Command!);
        Assert.Empty(built.Entrypoint!);
    }

    [Fact]
    public void Dependencies_networks_and_health_checks_are_read_in_each_of_their_forms()
    {
        var file = Read("""
            services:
              web:
                image: web
                depends_on:
                  db: { condition: service_healthy }
                  seed: { condition: service_completed_successfully, required: false }
                  cache: { condition: service_started }
                networks:
                  front:
                  back:
                    aliases: [ app, site ]
                    ipv4_address: 172.20.0.5
                healthcheck:
                  test: [ "CMD", "curl", "-f", "http://localhost" ]
                  interval: 1m30s
                  timeout: 10s
                  retries: 3
                  start_period: 40s
                  start_interval: 500ms
              db: { image: db, depends_on: [ cache ], networks: [ back ], healthcheck: { test: "mysqladmin ping || exit 1" } }
              seed: { image: seed, healthcheck: { disable: true } }
              cache: { image: cache, healthcheck: { test: [ NONE ] } }
            networks:
              front: { name: outer, external: true }
              back: { driver: bridge, internal: true, ipam: { config: [ { subnet: 172.20.0.0/24 } ] } }
            """);

        Assert.Empty(file.Findings);
        Assert.Equal(
            [("db", ComposeCondition.Healthy, true), ("seed", ComposeCondition.Completed, false), ("cache", ComposeCondition.Started, true)],
            Web(file).DependsOn.Select(other => (other.Service, other.Condition, other.IsRequired)));
        Assert.Equal(
            [("cache", ComposeCondition.Started, true)],
            file.Service("db")!.DependsOn.Select(other => (other.Service, other.Condition, other.IsRequired)));
        Assert.Equal(
            [("front", "", null), ("back", "app,site", "172.20.0.5")],
            Web(file).Networks.Select(network => (network.Name, string.Join(',', network.Aliases), network.Address)));
        Assert.Equal(
            [("front", "outer", true, false), ("back", null, false, true)],
            file.Networks.Select(network => (network.Name, network.EngineName, network.IsExternal, network.IsInternal)));
        Assert.Equal(["172.20.0.0/24"], file.Networks[1].Subnets);
        var check = Web(file).HealthCheck!;
        Assert.Equal(["CMD", "curl", "-f", "http://localhost"], check.Test!);
        Assert.Equal(
            ("1m30s", "10s", 3, "40s", "500ms"), (check.Interval, check.Timeout, check.Retries, check.StartPeriod, check.StartInterval));
        Assert.Equal(["CMD-SHELL", "mysqladmin ping || exit 1"], file.Service("db")!.HealthCheck!.Test!);
        Assert.True(file.Service("seed")!.HealthCheck!.IsDisabled);
        Assert.True(file.Service("cache")!.HealthCheck!.IsDisabled);
    }

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
    [InlineData("restart: always", "always")]
    [InlineData("restart: \"no\"", "no")]
    [InlineData("restart: on-failure:3", "on-failure:3")]
    [InlineData("deploy: { restart_policy: { condition: on-failure, max_attempts: 5 } }", "on-failure:5")]
    [InlineData("deploy: { restart_policy: { condition: any } }", "always")]
    [InlineData("deploy: { restart_policy: { condition: any } }\n    restart: unless-stopped", "unless-stopped")]
    [InlineData("image: x", null)]
    public void A_restart_policy_is_read_from_restart_and_from_deploy(string keys, string? policy)
    {
        var file = Read($"services:\n  web:\n    build: .\n    {keys}\n");
        Assert.Empty(file.Findings);
        Assert.Equal(policy, Web(file).Restart);
    }

    [Fact]
    public void Anchors_and_merge_keys_are_resolved_and_a_services_own_keys_win()
    {
        var file = Read("""
            x-common: &common
              image: base
              restart: always
              environment: &env { A: common, B: common }
            x-more: &more { init: true, image: more }
            services:
              web:
                <<: [ *common, *more ]
                image: own
                environment:
                  <<: *env
                  B: own
            """);

        Assert.Empty(file.Findings);
        Assert.Equal(("own", "always"), (Web(file).Image, Web(file).Restart));
        Assert.Equal(["--init"], Web(file).Options.Select(option => option.Argument));
        Assert.Equal([("B", "own"), ("A", "common")], Web(file).Environment.Select(variable => (variable.Name, variable.Value)));
    }

    [Fact]
    public void An_extended_service_is_merged_and_its_paths_start_from_its_own_file()
    {
        _folder.Write("common/services.yml", """
            services:
              python:
                extends: base
                command: from python
                volumes: [ "./code:/code", "./conf:/conf" ]
                env_file: common.env
              base:
                image: python:3.13
                command: from base
                environment: [ A=base, B=base ]
                ports: [ "8000:8000" ]
                cap_add: [ NET_ADMIN ]
                labels: { kind: base }
            """);
        var file = Read("""
            services:
              web:
                extends: { file: ../common/services.yml, service: python }
                environment: { B: own }
                volumes: [ "./conf:/conf" ]
                ports: [ "9000:9000" ]
                labels: { kind: own }
            """, "docker/compose.yaml");

        Assert.Empty(file.Findings);
        var web = Web(file);
        Assert.Equal("python:3.13", web.Image);
        Assert.Equal(["from", "python"], web.Command!);
        Assert.Equal([("A", "base"), ("B", "own")], web.Environment.Select(variable => (variable.Name, variable.Value)));
        Assert.Equal(
            [(In("common/code"), "/code"), (In("docker/conf"), "/conf")], web.Mounts.Select(mount => (mount.Source, mount.Target)));
        Assert.Equal([8000, 9000], web.Ports.Select(port => port.Target));
        Assert.Equal([In("common/common.env")], web.EnvironmentFiles.Select(env => env.Path));
        Assert.Equal(["NET_ADMIN", "kind=own"], web.Options.Select(option => option.Value));
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
    public void Variables_are_put_in_before_anything_is_read()
    {
        _variables["PORT"] = "8080";
        var file = Read("""
            services:
              web:
                image: fork/web:${TAG:-latest}
                ports: [ "${PORT}:80" ]
                command: sh -c "echo $$HOME"
            """);

        Assert.Empty(file.Findings);
        Assert.Equal("fork/web:latest", Web(file).Image);
        Assert.Equal(8080, Web(file).Ports.Single().Published);
        Assert.Equal(["sh", "-c", "echo $HOME"], Web(file).Command!);
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
    public void Secrets_and_configs_are_mounted_from_their_files()
    {
        var file = Read("""
            services:
              web:
                image: web
                secrets: [ token, { source: key, target: /etc/key } ]
                configs: [ app ]
            secrets:
              token: { file: ./token.txt }
              key: { file: ./key.txt }
            configs:
              app: { file: ./app.conf }
            """);

        Assert.Empty(file.Findings);
        Assert.Equal(
            [(In("token.txt"), "/run/secrets/token", true), (In("key.txt"), "/etc/key", true), (In("app.conf"), "/app", true)],
            Web(file).Mounts.Select(mount => (mount.Source, mount.Target, mount.IsReadOnly)));
    }

    [Fact]
    public void An_override_file_goes_on_top_of_the_first()
    {
        var first = _folder.Write(
            "docker-compose.yml", "services:\n  web: { image: a, environment: { A: 1, B: 1 } }\n  db: { image: db }\nvolumes: { data: }\n");
        var over = _folder.Write(
            "docker-compose.override.yml",
            "services:\n  web: { environment: { B: 2 }, ports: [ \"80:80\" ] }\n  mail: { image: mail, volumes: [ \"data:/data\" ] }\n");
        var file = ComposeFile.Read(first, _variables.GetValueOrDefault, over);

        Assert.Empty(file.Findings);
        Assert.Equal(["web", "db", "mail"], file.Services.Select(service => service.Name));
        Assert.Equal("a", Web(file).Image);
        Assert.Equal([("A", "1"), ("B", "2")], Web(file).Environment.Select(variable => (variable.Name, variable.Value)));
        Assert.Equal(over, Web(file).Ports.Single().At.File);
    }

    [Theory]
    [InlineData("name: My Fork", "myfork")]
    [InlineData("x-a: b", "docker")]
    public void The_project_has_the_name_that_compose_gives_it(string key, string name) =>
        Assert.Equal(name, Read($"{key}\nservices:\n  web: {{ image: a }}\n", "docker/compose.yaml").Project);

    private string In(string path) => Path.Combine(_folder.Path, path);

    private static ComposeService Web(ComposeFile file) => file.Service("web")!;

    private ComposeFile Read(string text, string path = "compose.yaml") =>
        ComposeFile.Read(_folder.Write(path, text), _variables.GetValueOrDefault);
}
