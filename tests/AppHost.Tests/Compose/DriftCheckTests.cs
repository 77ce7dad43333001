using System.Text.RegularExpressions;
using Aspire.Hosting.ApplicationModel;
using UvlhubAspire.AppHost.Compose;
using UvlhubAspire.Hosting.Compose;
using Xunit;

namespace UvlhubAspire.AppHost.Tests.Compose;

public sealed partial class DriftCheckTests
{
    [Theory]
    [InlineData("egc2526-v1.0.0")]
    [InlineData("egcetsii-main-2026-07")]
    [InlineData("diverso-lab-v2.9")]
    public async Task Nothing_is_unexplained_in_an_edition(string edition)
    {
        await using var model = await InventedFork.CreateAsync(_ => { }, [], edition);
        var report = await model.CompareAsync();
        Assert.Equal("", string.Join(Environment.NewLine, report.Unexplained));
        Assert.Empty(report.Findings);
        Assert.NotEmpty(report.OnPurpose);
    }

    [Theory]
    [InlineData("egc2526-v1.0.0")]
    [InlineData("egcetsii-main-2026-07")]
    [InlineData("diverso-lab-v2.9")]
    public async Task Nothing_is_unexplained_in_an_editions_production(string edition)
    {
        await using var model = await InventedFork.CreateAsync(
            folder =>
            {
                var example = File.ReadAllText(Path.Combine(folder.Path, "checkout/.env.docker.example"));
                folder.Write(
                    "checkout/.env.production",
                    Secret().Replace(example, "$1=own")
                        .Replace("FLASK_ENV=value", "FLASK_ENV=production", StringComparison.Ordinal) + "WEBHOOK_TOKEN=<CHANGE_THIS>\n");
            },
            ["--Uvlhub:Environment=Production", "--Uvlhub:Secrets=generated"],
            edition);
        var report = await model.CompareAsync();
        Assert.EndsWith("docker-compose.prod.yml", report.File.Path, StringComparison.Ordinal);
        Assert.Equal("", string.Join(Environment.NewLine, report.Unexplained));
    }

    [Fact]
    public async Task Nothing_is_unexplained_in_an_instance_with_ports_of_its_own()
    {
        await using var model = await InventedFork.CreateAsync(_ => { }, ["--Uvlhub:Instance=teamA", "--Uvlhub:Ports:Database=3399"]);
        var report = await model.CompareAsync();
        Assert.Equal("", string.Join(Environment.NewLine, report.Unexplained));
        Assert.Contains(
            report.OnPurpose,
            difference => difference is { Service: "db", Aspect: DriftAspect.Port, Reason: "Uvlhub:Ports:Database chooses the port" });
        Assert.Contains(report.OnPurpose, difference => difference is { Service: "web", Aspect: DriftAspect.ContainerName });
    }

    [Fact]
    public async Task What_a_setting_adds_or_leaves_out_is_on_purpose()
    {
        await using var model = await InventedFork.CreateAsync(_ => { }, ["--Uvlhub:Services=-nginx,+adminer"]);
        var report = await model.CompareAsync();
        Assert.Equal("", string.Join(Environment.NewLine, report.Unexplained));
        Assert.Equal(
            ["nginx", "adminer"],
            report.OnPurpose.Where(difference => difference.Reason!.Contains("(Uvlhub:Services)", StringComparison.Ordinal))
                .Select(difference => difference.Service));
    }

    [Fact]
    public async Task A_services_own_additions_are_no_drift_because_the_model_takes_them_over()
    {
        await using var model = await ChangedAsync("""
              web:
                container_name: web_app_container
                build: { context: ../, dockerfile: docker/images/Dockerfile.dev }
                env_file: ../.env
                environment: { FLASK_APP_NAME: "our uvlhub", BOT_URL: "http://bot" }
                command: sh -c "sh /app/docker/entrypoints/development_entrypoint.sh"
                volumes: [ "../:/app", /app/node_modules, "uploads:/app/uploads" ]
                ports: [ "5678:5678" ]
                networks: { default: { aliases: [ site ] } }
                shm_size: 1gb
                depends_on: [ db ]
            """, "volumes: { uploads: {}, data: {} }", without: "web");

        var report = await model.CompareAsync();
        Assert.Equal("", string.Join(Environment.NewLine, report.Unexplained));

        foreach (var name in new[] { "web", "rosemary" })
        {
            var facts = await model.FactsAsync(name);
            Assert.Equal(("our uvlhub", "http://bot"), (facts.Environment["FLASK_APP_NAME"], facts.Environment["BOT_URL"]));
            Assert.Equal("db", facts.Environment["MARIADB_HOSTNAME"]);
            Assert.Contains("/app/node_modules", facts.Mounts.Select(mount => mount.Target));
            Assert.Contains("uploads_checkout", facts.Mounts.Select(mount => mount.Source));
        }

        var web = await model.FactsAsync("web");
        Assert.Contains(5678, web.Endpoints.Select(endpoint => endpoint.Port));
        Assert.Contains("site", web.HostNames);
        Assert.Contains("1gb", web.EngineOptions);
    }

    [Fact]
    public async Task A_databases_own_command_reaches_it()
    {
        await using var model = await ChangedAsync(
            "  db: { container_name: mariadb_container, image: \"mariadb:12.0.2\", env_file: ../.env, command: --max-connections=500, "
            + "ports: [ \"3306:3306\" ], volumes: [ \"data:/var/lib/mysql\" ] }",
            "volumes: { data: }", without: "db");
        Assert.Equal(["--max-connections=500"], (await model.FactsAsync("db")).Arguments);
        Assert.Equal("", string.Join(Environment.NewLine, (await model.CompareAsync()).Unexplained));
    }

    [Theory]
    [InlineData("image: mariadb")]
    [InlineData("image: docker.io/library/mariadb:latest")]
    [InlineData("build: { context: ../, dockerfile: docker/images/Dockerfile.latest }")]
    public async Task A_database_without_a_version_is_pinned_and_the_reason_is_given(string key)
    {
        await using var model = await ChangedAsync(
            $"  db:\n    container_name: mariadb_container\n    {key}\n    env_file: ../.env\n    ports: [ \"3306:3306\" ]\n    volumes: "
            + "[ \"data:/var/lib/mysql\" ]\n    restart: always",
            "volumes: { data: }", without: "db");
        var report = await model.CompareAsync();
        Assert.Equal("", string.Join(Environment.NewLine, report.Unexplained));
        var difference = Assert.Single(report.OnPurpose, difference => difference is { Service: "db", Aspect: DriftAspect.Image });
        Assert.Contains("pinned", difference.Reason, StringComparison.Ordinal);
        Assert.Equal(4, difference.At!.Value.Line);
    }

    [Theory]
    [InlineData("", WaitType.WaitUntilStarted)]
    [InlineData("condition: service_healthy", WaitType.WaitUntilHealthy)]
    [InlineData("condition: service_completed_successfully", WaitType.WaitForCompletion)]
    public async Task The_site_waits_for_a_service_of_the_forks_own(string condition, WaitType type)
    {
        var depends = condition.Length == 0
            ? "[ db, fakenodo ]"
            : $"{{ db: {{ condition: service_started }}, fakenodo: {{ {condition} }} }}";
        await using var model = await ChangedAsync($"""
              web:
                container_name: web_app_container
                build: {"{ context: ../, dockerfile: docker/images/Dockerfile.dev }"}
                env_file: ../.env
                command: sh -c "sh /app/docker/entrypoints/development_entrypoint.sh"
                volumes: [ "../:/app" ]
                depends_on: {depends}
              fakenodo:
                build: ../fakenodo
                expose: [ "5001" ]
            """, "volumes: { data: }", without: "web");

        Assert.Equal("", string.Join(Environment.NewLine, (await model.CompareAsync()).Unexplained));
        Assert.Contains(
            ("fakenodo", type),
            model.Container("web").Annotations.OfType<WaitAnnotation>().Select(wait => (wait.Resource.Name, wait.WaitType)));
    }

    [Theory]
    [InlineData("image: \"mariadb:11.4\"", "runs mariadb:11.4, the model docker.io/library/mariadb:12.0.2")]
    [InlineData("build: { context: ../, dockerfile: docker/images/Dockerfile.old }", "is built from docker/images/Dockerfile.old on mariadb:10.6; the model runs docker.io/library/mariadb:12.0.2")]
    [InlineData("build: { context: ../, dockerfile: docker/images/Dockerfile.copies }", "is built from docker/images/Dockerfile.copies on mariadb:12.0.2; the model runs docker.io/library/mariadb:12.0.2")]
    [InlineData("container_name: other_container", "is called other_container, in the model mariadb_container")]
    [InlineData("entrypoint: /own.sh", "runs /own.sh; the model runs the image's own command")]
    [InlineData("volumes: [ \"../data:/var/lib/mysql\" ]", "data on /var/lib/mysql, the model mariadb_data_checkout")]
    [InlineData("volumes: [ \"data:/var/lib/mysql:ro\" ]", "may only read /var/lib/mysql, in the model write")]
    [InlineData("volumes: [ ]", "only the model mounts /var/lib/mysql")]
    public async Task A_difference_that_nobody_meant_is_named_with_its_line(string key, string problem)
    {
        await using var model = await ChangedAsync($"  db:\n    {key}\n    restart: always", "volumes: { data: }", without: "db");
        var report = await model.CompareAsync();
        var difference = Assert.Single(
            report.Unexplained, difference => difference.Service == "db" && difference.Problem.Contains(problem, StringComparison.Ordinal));
        if (difference.At is { } line)
        {
            Assert.Equal((report.File.Path, 3), (line.File, line.Line));
            Assert.StartsWith($"{report.File.Path}:3: db: ", difference.ToString(), StringComparison.Ordinal);
        }
    }

    [Fact]
    public async Task What_is_said_not_to_be_taken_over_is_not_said_again_as_a_difference()
    {
        await using var model = await ChangedAsync("  placeholder: { image: <your_dockerhub_name>/bot }", "volumes: { data: }");
        var report = await model.CompareAsync();
        Assert.Contains(report.Findings, finding => finding is { Service: "placeholder", At.Line: 2 });
        Assert.DoesNotContain(report.Unexplained, difference => difference.At is { Line: 2 });
    }

    [Fact]
    public void The_report_tells_what_needs_attention_first_and_groups_the_rest_by_reason()
    {
        var file = new ComposeFile { Path = "/checkout/compose.yaml", Project = "checkout", Services = [], Volumes = [], Networks = [], Findings = [] };
        var report = new DriftReport(
            file,
            [
                new Difference(
                    "db", DriftAspect.Port, "3306", "publishes 3306 to all", new SourceLine(file.Path, 7), "ports are on 127.0.0.1"),
                new Difference("web", DriftAspect.Image, "web", "runs web:1, the model web:2", new SourceLine(file.Path, 3)),
                new Difference(
                    "nginx", DriftAspect.Port, "80", "publishes 80 to all", new SourceLine(file.Path, 9), "ports are on 127.0.0.1"),
            ],
            [new ComposeFinding(new SourceLine(file.Path, 12), "bot", "logging", "the driver stays the engine's own")]);

        Assert.Equal(
            """
            /checkout/compose.yaml and the model: 0 services compared, 1 unexplained, 2 on purpose, 1 not taken over

            Unexplained
              line 3: web: runs web:1, the model web:2

            Not taken over
              line 12: bot: logging: the driver stays the engine's own

            On purpose: ports are on 127.0.0.1
              line 7: db: publishes 3306 to all
              line 9: nginx: publishes 80 to all

            """,
            report.Render());
    }

    [Fact]
    public async Task A_start_scripts_own_steps_are_the_sites_and_each_of_its_lines_is_told()
    {
        const string Script = "docker/entrypoints/development_entrypoint.sh";
        await using var model = await InventedFork.CreateAsync(
            folder => folder.Write($"checkout/{Script}", """
                #!/bin/bash
                set -e
                npx webpack --watch &
                pip install -e ./vendor/generator
                if [ "$(mariadb -e 'SELECT COUNT(*) FROM user')" -eq 0 ]; then
                    flask db upgrade && rosemary db:seed -y
                    python more_rows.py
                else
                    python refresh.py
                fi
                flask run --host=0.0.0.0
                """),
            [],
            Edition.Diverso);
        var report = await model.CompareAsync();

        Assert.Equal("", string.Join(Environment.NewLine, report.Unexplained));
        Assert.EndsWith(
            $"""
            The site's start script
              {Script}:3: 'npx webpack --watch' runs as it is
              {Script}:4: 'pip install -e ./vendor/generator' runs as it is
              {Script}:6: 'flask db upgrade' is replaced by the migrator
              {Script}:6: 'rosemary db:seed -y' is replaced by the migrator, which seeds a new database
              {Script}:7: 'python more_rows.py' runs as it is, by the migrator, where it seeds a new database
              {Script}:9: 'python refresh.py' does not run: it hangs on the state in which the database was before the migrator
              {Script}:11: 'flask run --host=0.0.0.0' is replaced by the model's own command

            """,
            report.Render(), StringComparison.Ordinal);
        Assert.Contains("the model runs its script, line by line as below", report.Render(), StringComparison.Ordinal);
        Assert.Contains($"{Script}:9: 'python refresh.py' does not run", report.Script?.NotRun, StringComparison.Ordinal);

        var site = (await model.FactsAsync("web")).Arguments;
        Assert.Equal(["bash", "-c", $"/workspace/{Script}"], [site[0], site[1], site[3]]);
        Assert.Contains("npx webpack --watch", site[2], StringComparison.Ordinal);
        Assert.EndsWith("exec flask run --host=0.0.0.0 --port=5000 --reload --debug", site[2], StringComparison.Ordinal);

        // The migration needs the package as well, and waits for it.
        Assert.Contains("pip install -e ./vendor/generator", (await model.FactsAsync("rosemary")).Arguments[2], StringComparison.Ordinal);
        Assert.Contains(
            model.Resources.Single(resource => resource.Name == "migrator").Annotations.OfType<WaitAnnotation>(),
            wait => wait is { WaitType: WaitType.WaitUntilHealthy, Resource.Name: "rosemary" });
    }

    [Fact]
    public async Task A_start_script_that_the_Dockerfile_names_is_read_too_and_does_not_run_twice()
    {
        await using var model = await InventedFork.CreateAsync(folder =>
        {
            folder.Write("checkout/docker/docker-compose.dev.yml", """
                services:
                  web: { container_name: web_app_container, build: { context: ../, dockerfile: docker/images/Dockerfile.dev } }
                  db: { container_name: mariadb_container, image: "mariadb:12.0.2" }
                """);
            folder.Write(
                "checkout/docker/images/Dockerfile.dev",
                "FROM python:3.12-slim\nWORKDIR /app\nENTRYPOINT [\"./start.sh\"]\nCMD [\"flask\", \"run\"]\n");
            folder.Write("checkout/start.sh", "#!/bin/sh\nflask db upgrade\nmkdir -p uploads\nexec \"$@\"\n");
        }, []);
        Assert.Equal("/bin/sh", model.Container("web").Entrypoint);
        var arguments = (await model.FactsAsync("web")).Arguments;
        Assert.Equal(["-c", "/app/start.sh", "flask", "run"], [arguments[0], .. arguments.Skip(2)]);
        Assert.Contains("mkdir -p uploads; uvlhub_step; }\nexec flask run ", arguments[1], StringComparison.Ordinal);
        Assert.DoesNotContain("flask db upgrade", arguments[1], StringComparison.Ordinal);
    }

    // A site and a database as uvlhub declares them, and the change.
    private static Task<InventedFork> ChangedAsync(string services, string rest, string without = "") => InventedFork.CreateAsync(
        folder =>
        {
            const string web = """
                  web:
                    container_name: web_app_container
                    build: { context: ../, dockerfile: docker/images/Dockerfile.dev }
                    env_file: ../.env
                    command: sh -c "sh /app/docker/entrypoints/development_entrypoint.sh"
                    volumes: [ "../:/app" ]
                    depends_on: [ db ]
                """;
            const string db = """
                  db:
                    container_name: mariadb_container
                    image: "mariadb:12.0.2"
                    env_file: ../.env
                    ports: [ "3306:3306" ]
                    volumes: [ "data:/var/lib/mysql" ]
                    restart: always
                """;
            folder.Write(
                "checkout/docker/docker-compose.dev.yml",
                $"services:\n{services}\n{(without == "web" ? "" : web)}\n{(without == "db" ? "" : db)}\n{rest}\n");
            folder.Write("checkout/docker/images/Dockerfile.old", "FROM mariadb:10.6\n");
            folder.Write("checkout/docker/images/Dockerfile.latest", "FROM mariadb:latest\nRUN apt-get install -y mariadb-client\n");
            folder.Write("checkout/docker/images/Dockerfile.copies", "FROM mariadb:12.0.2\nCOPY init.sql /docker-entrypoint-initdb.d/\n");
        },
        []);

    [GeneratedRegex("^(.*(?:PASSWORD|SECRET|TOKEN).*)=.*$", RegexOptions.Multiline)]
    private static partial Regex Secret();
}
