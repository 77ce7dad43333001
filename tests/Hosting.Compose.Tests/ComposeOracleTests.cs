using System.Text.Json;
using CliWrap;
using CliWrap.Buffered;
using Xunit;

namespace UvlhubAspire.Hosting.Compose.Tests;

/// <summary>
/// The same files, read here and by compose itself: what a service is made of is the same, but for the differences that are
/// named.
/// </summary>
public sealed class ComposeOracleTests : IDisposable
{
    // Each key of a service in each of its forms; every form becomes a service.
    private static readonly string[] s_forms =
    [.. """
        image: fork/web:dev
        image: fork/web:${TAG:-latest}
        image: $SET/${SET}:1
        build: ./bot
        build: { context: ../, dockerfile: docker/Dockerfile.dev, target: final, args: { VERSION: "1", TOKEN: , SET: } }
        build: { context: ., args: [ A=x=y, SET ] }
        build: .
        container_name: web_app_container
        command: [ "sh", "-c", "sh /app/entrypoint.sh $$HOME" ]
        command: sh -c "sleep 1 && exit" 'a b' c\ d
        entrypoint: tini --
        entrypoint: []
        entrypoint: [ a b, c ]
        environment: { A: 1, B: "yes", C: true, D: 1.50, EMPTY: "", SET: , PASSED: }
        environment: [ A=x=y, SET, PASSED, B= ]
        environment: { A: "${SET}-${NONE:-none}-${NONE-}-${EMPTY-x}-${EMPTY:-y}-${SET:+set}-${NONE+set}-$$SET" }
        env_file: common.env
        env_file: [ common.env, { path: none.env, required: false }, other.env ]
        ports: [ "3000", 8000:80, 22:22, "127.0.0.1:8001:81", "127.0.0.1::82", "[::1]:8003:83", "6060:6060/udp", "${PORT}:1" ]
        ports: [ "9090-9091:8080-8081", "7000-7009:70", { target: 53, protocol: udp } ]
        ports: [ { target: 443, published: "8443", host_ip: 127.0.0.1, app_protocol: https, mode: host }, { target: 80, published: 81 } ]
        expose: [ "5000", 53/udp, 8000 ]
        volumes: [ "../:/app", "./conf/nginx.conf:/etc/nginx.conf:ro", "data:/data/", "data:/copy:ro,z", /app/node_modules, ~/x:/home ]
        volumes: [ { type: bind, source: ./long, target: /data, read_only: true }, { type: volume, source: named, target: /two } ]
        volumes: [ { type: volume, target: /own }, { type: tmpfs, target: /run, tmpfs: { size: 64m } } ]
        secrets: [ token, { source: key, target: /etc/key } ]
        configs: [ settings ]
        networks: [ front ]
        networks: { front: , back: { aliases: [ app, site ], ipv4_address: 172.20.0.5 } }
        depends_on: [ base, seed ]
        depends_on: { base: { condition: service_healthy }, seed: { condition: service_completed_successfully, required: false } }
        healthcheck: { test: [ CMD, curl, -f, "http://x" ], interval: 1m30s, timeout: 10s, retries: 3, start_period: 40s }
        healthcheck: { test: "mysqladmin ping || exit 1", interval: 90s, start_interval: 500ms }
        healthcheck: { disable: true }
        healthcheck: { test: [ NONE ] }
        restart: always
        restart: "no"
        restart: no
        restart: on-failure:3
        restart: unless-stopped
        deploy: { restart_policy: { condition: on-failure, max_attempts: 5 } }
        deploy: { restart_policy: { condition: any } }
        deploy: { replicas: 2, resources: { limits: { cpus: "0.5", memory: 50M, pids: 9 }, reservations: { memory: 20M } } }
        scale: 3
        profiles: [ a, b ]
        pull_policy: always
        tmpfs: /tmp
        tmpfs: [ /tmp, /var/tmp ]
        shm_size: 2gb
        mem_limit: 512m
        user: "1000:1000"
        working_dir: /srv
        init: true
        privileged: false
        read_only: true
        tty: true
        hostname: web
        platform: linux/amd64
        cap_add: [ NET_ADMIN, SYS_PTRACE ]
        cap_drop: [ ALL ]
        dns: 1.1.1.1
        dns: [ 1.1.1.1, 8.8.8.8 ]
        group_add: [ video ]
        extra_hosts: [ "host.docker.internal:host-gateway", "six=[::1]" ]
        extra_hosts: { somehost: 10.0.0.1 }
        labels: { a: b }
        labels: [ a=c, d ]
        sysctls: [ net.core.somaxconn=1024 ]
        sysctls: { net.core.somaxconn: 512 }
        ulimits: { nproc: 65535, nofile: { soft: 20000, hard: 40000 } }
        stop_grace_period: 1m10s
        stop_signal: SIGINT
        security_opt: [ no-new-privileges ]
        devices: [ /dev/fuse:/dev/fuse:rwm ]
        <<: *common
        <<: [ *more, *common ]
        <<: *common\nenvironment: { <<: *variables, B: own }
        """.Split('\n').Select(form => form.Replace("\\n", "\n    ", StringComparison.Ordinal))];

    // What compose refuses beside some of the others.
    private static readonly string[] s_alone = ["<<", "scale", "mem_limit", "container_name", "group_add"];

    private const string Top = """
        x-variables: &variables { A: common, B: common }
        x-common: &common { restart: always, environment: *variables, labels: { a: common } }
        x-more: &more { init: true, restart: "no" }
        volumes: { data: , named: { name: other, external: true } }
        networks:
          front: { name: outer, external: true }
          back: { driver: bridge, internal: true, ipam: { config: [ { subnet: 172.20.0.0/24 } ] } }
        secrets: { token: { file: ./token.txt }, key: { file: ./key.txt } }
        configs: { settings: { file: ./app.conf } }
        services:
          base: { image: base }
          seed: { image: seed }

        """;

    // What is read otherwise than by compose, and why.
    private static readonly (string Difference, string Here, string Compose)[] s_differences =
    [
        ("a number is passed on as it is written", "environment D=1.50", "environment D=1.5"),
        ("of several ports of the host, the first is taken", "port :7000:70/tcp", "port :7000-7009:70/tcp"),
    ];

    private static readonly Dictionary<string, string> s_variables = new() { ["SET"] = "set", ["EMPTY"] = "", ["PORT"] = "8080" };
    private readonly TemporaryFolder _folder = new();

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    public void Dispose() => _folder.Dispose();

    [Fact(Timeout = 60_000)]
    public Task Each_key_is_read_as_compose_reads_it() => AreReadAlikeAsync(
        Write("compose.yaml", s_forms.Select((form, i) => ($"s{i}", form))), usesDifferences: true);

    [Theory(Timeout = 60_000)]
    [InlineData(1)]
    [InlineData(2)]
    [InlineData(3)]
    public Task A_service_that_extends_another_is_what_compose_makes_of_both(int seed)
    {
        var pairs = Pairs(new Random(seed));
        // Also of another file, whose paths start there.
        Write("../other/compose.yaml", pairs.Select((pair, i) => ($"b{i}", pair.Below)));
        return AreReadAlikeAsync(Write("compose.yaml", pairs.SelectMany((pair, i) => new[]
        {
            ($"a{i}", pair.Below), ($"c{i}", $"extends: a{i}\n    {pair.Above}"),
            ($"d{i}", $"extends: {{ file: ../other/compose.yaml, service: b{i} }}\n    {pair.Above}"),
        })));
    }

    [Theory(Timeout = 60_000)]
    [InlineData(4)]
    [InlineData(5)]
    public Task A_service_with_an_override_is_what_compose_makes_of_both(int seed)
    {
        var pairs = Pairs(new Random(seed));
        return AreReadAlikeAsync(
            Write("compose.yaml", pairs.Select((pair, i) => ($"s{i}", pair.Below))),
            Write("compose.override.yaml", pairs.Select((pair, i) => ($"s{i}", pair.Above))));
    }

    [Theory(Timeout = 120_000)]
    [InlineData(Edition.Course)]
    [InlineData(Edition.Splent)]
    [InlineData(Edition.Diverso)]
    public async Task Every_compose_file_of_an_edition_is_read_as_compose_reads_it_and_without_loss(string name)
    {
        var edition = Edition.Load(name);
        edition.WriteCheckout(_folder);
        File.Copy(Path.Combine(_folder.Path, ".env.docker.example"), Path.Combine(_folder.Path, ".env"));
        Assert.NotEmpty(edition.ComposeFiles);
        foreach (var file in edition.ComposeFiles)
        {
            var read = await AreReadAlikeAsync(Path.Combine(_folder.Path, "docker", file));
            Assert.Empty(read.Findings);
            Assert.All(read.Services, service => Assert.Empty(service.Unsupported));
        }
    }

    [Theory(Timeout = 60_000)]
    [InlineData("name: My Fork", "compose.yaml")]
    [InlineData("x-a: b", "My.Docker_Files/compose.yaml")]
    public Task The_project_has_the_name_that_compose_gives_it(string key, string path) =>
        AreReadAlikeAsync(_folder.Write(path, $"{key}\nservices:\n  web: {{ image: a }}\n"));

    // Two services of a few random forms each, of which the second goes on top of the first.
    private static List<(string Below, string Above)> Pairs(Random random)
    {
        return [.. Enumerable.Range(0, 40).Select(_ => (Service(), Service()))];

        string Service() => string.Join(
            "\n    ",
            random.GetItems(s_forms, 8).Where(form => !s_alone.Any(key => form.StartsWith(key, StringComparison.Ordinal)))
                .GroupBy(form => form.Split(':')[0]).Select(forms => forms.First()));
    }

    private string Write(string file, IEnumerable<(string Name, string Keys)> services)
    {
        _folder.Write("docker/common.env", "A=file\nD=far\nE=\"so $D\"\n");
        _folder.Write("docker/other.env", "A=other\n");
        _folder.Write("other/common.env", "A=far\n");
        _folder.Write("other/other.env", "F=1\n");
        var text = services.Select(service => $"  {service.Name}:\n{Image(service.Keys)}    {service.Keys}\n");
        return Path.GetFullPath(_folder.Write($"docker/{file}", Top + string.Concat(text)));

        static string Image(string keys) =>
            $"\n    {keys}".Contains("\n    image:", StringComparison.Ordinal) ? "" : "    image: web\n";
    }

    private static async Task<ComposeFile> AreReadAlikeAsync(string path, string? overrides = null, bool usesDifferences = false)
    {
        var here = ComposeFile.Read(path, s_variables.GetValueOrDefault, overrides);
        string[] files = [.. new[] { path, overrides }.OfType<string>().SelectMany(file => new[] { "--file", file })];
        var config = await Cli.Wrap("docker").WithArguments(["compose", .. files, "--profile", "*", "config", "--format", "json"])
            .WithEnvironmentVariables(environment =>
            {
                foreach (var (name, value) in s_variables)
                {
                    environment.Set(name, value);
                }
            })
            .ExecuteBufferedAsync(Cancellation);
        using var there = JsonDocument.Parse(config.StandardOutput);
        var (read, expected) = (ComposeFacts.Of(here, s_variables.GetValueOrDefault), ComposeFacts.Of(there.RootElement));
        var met = new HashSet<string>();
        foreach (var (service, facts) in read)
        {
            foreach (var (difference, own, other) in s_differences)
            {
                if (facts.Contains(own) && expected.GetValueOrDefault(service)?.Contains(other) == true)
                {
                    facts.Remove(own);
                    expected[service].Remove(other);
                    met.Add(difference);
                }
            }
        }

        var (missing, surplus) = (Lines(expected, read), Lines(read, expected));
        Assert.True(missing.Length + surplus.Length == 0, $"only compose has\n{missing}\nonly we have\n{surplus}");
        Assert.True(!usesDifferences || met.Count == s_differences.Length, "a difference that is named is none any more");
        return here;

        // What only one of the two has.
        static string Lines(Dictionary<string, SortedSet<string>> facts, Dictionary<string, SortedSet<string>> others) => string.Join(
            '\n',
            from service in facts
            from fact in service.Value.Except(others.GetValueOrDefault(service.Key) ?? [])
            orderby service.Key
            select $"{service.Key}: {fact}");
    }
}
