using System.Net.Sockets;
using Aspire.Hosting.ApplicationModel;
using UvlhubAspire.Checkout;
using UvlhubAspire.Engine;
using UvlhubAspire.Hosting.Containers;
using Xunit;

namespace UvlhubAspire.AppHost.Tests.Compose;

public sealed class ComposeImportTests(InventedForkFixture plain) : IClassFixture<InventedForkFixture>, IAsyncDisposable
{
    private InventedFork? _own;

    public ValueTask DisposeAsync() => _own?.DisposeAsync() ?? ValueTask.CompletedTask;

    [Fact]
    public async Task A_service_that_the_model_does_not_know_becomes_a_container_of_its_own()
    {
        var fakenodo = plain.Fork.Container("fakenodo");
        var facts = await plain.Fork.FactsAsync("fakenodo");

        Assert.Equal("fakenodo_container", facts.ContainerName);
        Assert.Equal("tini", fakenodo.Entrypoint);
        Assert.Equal(["--", "flask", "run", "--host=0.0.0.0", "--port=5001"], facts.Arguments);
        Assert.Equal(
            ["--shm-size", "64m", "--cap-add", "NET_ADMIN", "--health-cmd", "curl -f 'http://localhost:5001/a b'", "--health-interval", "5s", "--health-retries", "3"],
            facts.EngineOptions);
        Assert.Equal(["zenodo.org"], fakenodo.Annotations.OfType<ContainerNetworkAliasAnnotation>().Select(alias => alias.Alias));
        Assert.Equal(["fakenodo_check"], fakenodo.Annotations.OfType<HealthCheckAnnotation>().Select(check => check.Key));
        Assert.Empty(fakenodo.Annotations.OfType<ExplicitStartupAnnotation>());
    }

    [Fact]
    public void Its_image_is_built_from_its_own_dockerfile_and_has_no_stand_in()
    {
        var model = plain.Fork;
        var image = model.Container("fakenodo").Annotations.OfType<ContainerImage>().Single();
        Assert.Null(image.StandIn);
        Assert.Equal(
            (Path.Combine(model.Folder, "checkout/fakenodo/Dockerfile"), Path.Combine(model.Folder, "checkout/fakenodo")),
            (image.CheckoutBuild!.Dockerfile, image.CheckoutBuild.Context));
        Assert.Equal("2", image.CheckoutBuild.Arguments["VERSION"]);
        Assert.Equal(["python:3.13"], image.BaseImages!);
        Assert.StartsWith("uvlhub-aspire/checkout-checkout-fakenodo:", image.CheckoutBuild.Image, StringComparison.Ordinal);

        Assert.True(model.Container("seeder").TryGetContainerImageName(out var name));
        Assert.Equal("localhost:5000/team/seeder:1.2", name);
    }

    [Fact]
    public void A_service_on_the_checkouts_own_dockerfile_shares_the_sites_image_and_stand_in()
    {
        var model = plain.Fork;
        var (bot, web) = (model.Container("discord-bot"), model.Container("web"));
        Assert.Equal(
            web.Annotations.OfType<ContainerImage>().Single().CheckoutBuild!.Image,
            bot.Annotations.OfType<ContainerImage>().Single().CheckoutBuild!.Image);
        Assert.Equal(RepositoryFolder.StandIn("flask"), bot.Annotations.OfType<ContainerImage>().Single().StandIn);
    }

    [Fact]
    public async Task Another_stage_of_the_checkouts_own_dockerfile_is_an_image_of_its_own_with_the_same_stand_in()
    {
        var model = _own = await InventedFork.CreateAsync(InventedFork.Compose.Replace(
            "dockerfile: docker/images/Dockerfile.dev }",
            "dockerfile: docker/images/Dockerfile.dev, target: bots, args: { LEVEL: debug } }", StringComparison.Ordinal));
        var (bot, web) = (Image("discord-bot"), Image("web"));

        Assert.EndsWith("checkout-checkout-discord-bot:dev", bot.CheckoutBuild!.Image, StringComparison.Ordinal);
        Assert.Equal(("bots", "debug"), (bot.CheckoutBuild.Target, bot.CheckoutBuild.Arguments["LEVEL"]));
        Assert.Equal(web.StandInRecipe!.Image, bot.StandInRecipe!.Image);
        Assert.NotNull(bot.CheckoutBuild.Advisor);

        ContainerImage Image(string name) => model.Container(name).Annotations.OfType<ContainerImage>().Single();
    }

    [Fact]
    public async Task Its_environment_comes_from_its_files_and_the_file_and_knows_where_the_database_is()
    {
        var environment = (await plain.Fork.FactsAsync("fakenodo")).Environment;

        Assert.Equal("http://fakenodo:5001", environment["FAKENODO_URL"]);
        Assert.Equal("from its file", environment["FAKENODO_KEY"]);
        Assert.Equal("db", environment["MARIADB_HOSTNAME"]);
        Assert.Equal("1", environment["MARIADB_PORT"]);
        Assert.Equal("uvlhubdb", environment["MARIADB_DATABASE"]);
        Assert.Equal("UVLHUB.IO(dev)", environment["FLASK_APP_NAME"]);
        Assert.IsType<ParameterResource>(environment["MARIADB_PASSWORD"]);
    }

    [Fact]
    public async Task Its_ports_are_on_the_loopback_address_and_can_be_set()
    {
        var model = await WithAsync("--Uvlhub:Ports:probe:9000=9001");
        var fakenodo = model.Container("fakenodo").Annotations.OfType<EndpointAnnotation>().Single();
        Assert.Equal(
            ("http", "http", 5001, 5001, "localhost"),
            (fakenodo.Name, fakenodo.UriScheme, fakenodo.Port, fakenodo.TargetPort, fakenodo.TargetHost));
        Assert.Equal("Uvlhub:Ports:fakenodo", model.Container("fakenodo").Annotations.OfType<HostPortAnnotation>().Single().Port.Setting);

        var probe = model.Container("probe");
        Assert.Equal(
            [("http-9000", 9001, 9000, ProtocolType.Tcp), ("udp-53", 5353, 53, ProtocolType.Udp), ("tcp-1234", null, 1234, ProtocolType.Tcp)],
            probe.Annotations.OfType<EndpointAnnotation>()
                .Select(endpoint => (endpoint.Name, endpoint.Port, endpoint.TargetPort!.Value, endpoint.Protocol)));
    }

    [Fact]
    public async Task An_instance_gives_it_names_volumes_and_ports_of_its_own()
    {
        var model = await WithAsync("--Uvlhub:Instance=teamA");
        var fakenodo = model.Container("fakenodo");
        Assert.Equal("teamA_fakenodo_container", fakenodo.Annotations.OfType<ContainerNameAnnotation>().Single().Name);
        Assert.Null(fakenodo.Annotations.OfType<EndpointAnnotation>().Single().Port);
        Assert.Contains(
            "teamA_fakenodo_data_checkout", fakenodo.Annotations.OfType<ContainerMountAnnotation>().Select(mount => mount.Source));
        Assert.Contains("fakenodo_container", fakenodo.Annotations.OfType<ContainerNetworkAliasAnnotation>().Select(alias => alias.Alias));
        Assert.Contains(
            "web_app_container", model.Container("web").Annotations.OfType<ContainerNetworkAliasAnnotation>().Select(alias => alias.Alias));
        Assert.Equal(
            "teamA_docker-discord_bot-1", model.Container("discord-bot").Annotations.OfType<ContainerNameAnnotation>().Single().Name);
    }

    [Fact]
    public void Its_folders_and_volumes_are_mounted_but_never_the_engines_socket()
    {
        var mounts = plain.Fork.Container("fakenodo").Annotations.OfType<ContainerMountAnnotation>();
        Assert.Equal(
            [
                (ContainerMountType.BindMount, Path.Combine(plain.Fork.Folder, "checkout/fakenodo"), "/srv", true),
                (ContainerMountType.Volume, "fakenodo_data_checkout", "/data", false),
                (ContainerMountType.Volume, "team_shared", "/shared", false),
                (ContainerMountType.Volume, null, "/cache", false),
                (ContainerMountType.Volume, "fakenodo_missing_checkout", "/missing", false),
            ],
            mounts.Select(mount => (mount.Type, mount.Source, mount.Target, mount.IsReadOnly)));
        Assert.False(Directory.Exists(Path.Combine(plain.Fork.Folder, "checkout/docker/missing")));
    }

    [Fact]
    public void It_is_started_again_when_the_file_says_so()
    {
        Assert.Equal(new RestartPolicy(), Policy("fakenodo"));
        Assert.Equal(new RestartPolicy { OnlyAfterFailure = true, Limit = 3 }, Policy("probe"));
        Assert.Null(Policy("seeder"));

        RestartPolicy? Policy(string name) => plain.Fork.Container(name).Annotations.OfType<RestartPolicy>().SingleOrDefault();
    }

    [Fact]
    public async Task It_waits_for_what_it_depends_on()
    {
        var model = await WithAsync("--Uvlhub:Profiles=bot,other");
        Assert.Equal([("db", WaitType.WaitUntilHealthy), ("seeder", WaitType.WaitForCompletion)], Waits(model, "fakenodo"));
        // A database that has only been started lets nobody in yet.
        Assert.Equal(
            [("db", WaitType.WaitUntilHealthy), ("web", WaitType.WaitUntilStarted), ("fakenodo", WaitType.WaitUntilStarted)],
            Waits(model, "discord-bot"));
        Assert.Empty(model.Container("discord-bot").Annotations.OfType<ExplicitStartupAnnotation>());
    }

    [Fact]
    public void With_a_profile_that_is_not_chosen_it_stands_in_the_model_and_starts_by_hand() =>
        Assert.Single(plain.Fork.Container("discord-bot").Annotations.OfType<ExplicitStartupAnnotation>());

    [Fact]
    public void A_name_that_aspire_does_not_allow_is_still_its_host_name()
    {
        var bot = plain.Fork.Container("discord-bot");
        Assert.Equal(["discord_bot"], bot.Annotations.OfType<ContainerNetworkAliasAnnotation>().Select(alias => alias.Alias));
    }

    [Fact]
    public async Task A_known_service_under_another_name_is_not_added_again()
    {
        var model = _own = await InventedFork.CreateAsync(
            InventedFork.Compose.Replace("  db: { container_name", "  mariadb: { container_name", StringComparison.Ordinal)
            .Replace("[ db,", "[ mariadb,", StringComparison.Ordinal));
        Assert.DoesNotContain(model.Resources, resource => resource.Name == "mariadb");
        Assert.Equal(["mariadb"], model.Container("db").Annotations.OfType<ContainerNetworkAliasAnnotation>().Select(alias => alias.Alias));
        Assert.Contains(("db", WaitType.WaitUntilHealthy), Waits(model, "discord-bot"));
    }

    [Theory]
    [InlineData(".env.docker", ".env.docker.example")]
    [InlineData(".env.docker", ".env.docker")]
    [InlineData(".env.team", ".env.team.example")]
    [InlineData(".env.team", ".env.team")]
    public async Task The_file_that_the_site_reads_by_the_compose_file_has_the_checkouts_settings(string named, string present)
    {
        var model = _own = await InventedFork.CreateAsync(folder => WriteFork(folder, named, present), []);

        Assert.Equal(Path.Combine(model.Folder, "checkout", present), model.Environment.Checkout.EnvironmentFile.Path);
        Assert.Equal("teamdb", model.Environment.Checkout.Database);
        var web = await model.FactsAsync("web");
        Assert.Equal(
            ("teamdb", "db", "7"), (web.Environment["MARIADB_DATABASE"], web.Environment["MARIADB_HOSTNAME"], web.Environment["TEAM"]));
        Assert.Equal("7", (await model.FactsAsync("fakenodo")).Environment["TEAM"]);
        Assert.Equal("from an example", (await model.FactsAsync("fakenodo")).Environment["BOT"]);
        Assert.Empty(model.Findings);
        Assert.Equal("", string.Join(Environment.NewLine, (await model.CompareAsync()).Unexplained));
    }

    [Fact]
    public async Task It_is_preferred_to_the_env_that_lies_beside_it()
    {
        var model = _own = await InventedFork.CreateAsync(
            folder =>
            {
                WriteFork(folder, ".env.docker", ".env.docker");
                folder.Write("checkout/.env", "MARIADB_DATABASE=otherdb\nONLY_HERE=1\n");
            },
            []);

        Assert.Equal("teamdb", model.Environment.Checkout.Database);
        Assert.DoesNotContain("ONLY_HERE", (await model.FactsAsync("web")).Environment.Keys);
    }

    [Fact]
    public async Task A_setting_names_another()
    {
        var model = _own = await InventedFork.CreateAsync(
            folder =>
            {
                WriteFork(folder, ".env.docker", ".env.docker");
                folder.Write("checkout/.env.mine", "MARIADB_DATABASE=minedb\n");
            },
            ["--Uvlhub:EnvironmentFile=.env.mine"]);

        Assert.Equal("minedb", model.Environment.Checkout.Database);
    }

    [Fault(FaultArea.Checkout, "the compose file's env_file is missing, and so is its example")]
    [Fact]
    public async Task Where_it_is_missing_and_has_no_example_the_compose_files_line_is_named()
    {
        var exception = await Assert.ThrowsAsync<UserErrorException>(
            () => InventedFork.CreateAsync(folder => WriteFork(folder, ".env.team", "notes"), []));

        Proof.Happens("refused with the compose file's line", () =>
            Assert.Contains("docker-compose.dev.yml:5: there is no file", exception.Message, StringComparison.Ordinal));
        Proof.Happens(
            "with the setting that names another",
            () => Assert.Contains("Uvlhub:EnvironmentFile", exception.Message, StringComparison.Ordinal));
        Proof.Reads("docker-compose.dev.yml:5: there is no file", exception.Message);
    }

    // A fork whose site reads another file than .env.
    private static void WriteFork(TemporaryFolder folder, string named, string present)
    {
        var template = Path.Combine(folder.Path, "checkout/.env.docker.example");
        var settings = File.ReadAllText(template).Replace("=uvlhubdb\n", "=teamdb\n", StringComparison.Ordinal) + "TEAM=7\n";
        File.Delete(template);
        folder.Write($"checkout/{present}", settings);
        folder.Write("checkout/fakenodo/bot.env.example", "BOT=from an example\n");
        folder.Write("checkout/docker/docker-compose.dev.yml", $"""
            services:
              web:
                container_name: web_app_container
                build: {"{ context: ../, dockerfile: docker/images/Dockerfile.dev }"}
                env_file: ../{named}
                command: sh -c "sh /app/docker/entrypoints/development_entrypoint.sh"
                volumes: [ "../:/app" ]
                depends_on: [ db ]
              db:
                container_name: mariadb_container
                image: "mariadb:12.0.2"
                env_file: ../{named}
                ports: [ "3306:3306" ]
                volumes: [ "data:/var/lib/mysql" ]
                restart: always
              fakenodo:
                build: ../fakenodo
                env_file: [ ../{named}, ../fakenodo/bot.env ]
            volumes: {"{ data: }"}
            """);
    }

    [Fact]
    public void What_cannot_be_taken_over_is_named_with_its_line()
    {
        var model = plain.Fork;
        var file = Path.Combine(model.Folder, "checkout/docker/docker-compose.dev.yml");
        string[] expected =
        [
            $"{file}:17: fakenodo: volumes: there is no folder {Path.Combine(model.Folder, "checkout/docker/missing")}; the volume "
            + "fakenodo_missing_checkout takes its place. Make the folder to use it",
            $"{file}:18: fakenodo: volumes: there is no file {Path.Combine(model.Folder, "checkout/docker/missing.conf")}; "
            + "/etc/missing.conf is the image's own",
            $"{file}:19: fakenodo: volumes: no container is given the engine's socket: whoever has it is root on this machine "
            + "(Uvlhub:EngineSocket)",
            $"{file}:33: discord_bot: networks: the fixed address 172.20.0.9 is not given; the others reach it as discord_bot",
            $"{file}:33: discord_bot: networks: the external network caddy_net is not joined; publish a port to be reached from it",
            $"{file}:32: discord_bot: logging: the log goes to the dashboard; the driver stays the engine's own",
            $"{file}:34: seeder: replicas: one container runs, not 2",
            $"{file}:35: probe: ports: fakenodo has the host's port 5001; the system chooses a free one. To choose yourself: "
            + "--Uvlhub:Ports:probe:1234=PORT",
            $"{file}:36: placeholder: image: '<your_dockerhub_name>/bot' is no name of an image; put the right one in its place. The "
            + "service is not run",
            $"{file}:37: rosemary: rosemary: the model has a resource rosemary of its own; call the service differently to run it. The "
            + "service is not run",
        ];
        Assert.Equal(expected, model.Findings.Select(finding => finding.ToString()));
        Assert.DoesNotContain(model.Resources, resource => resource.Name == "placeholder");
    }

    private async Task<InventedFork> WithAsync(params string[] settings) =>
        _own = await InventedFork.CreateAsync(InventedFork.Compose, settings);

    private static IEnumerable<(string, WaitType)> Waits(InventedFork fork, string name) =>
        fork.Container(name).Annotations.OfType<WaitAnnotation>().Select(wait => (wait.Resource.Name, wait.WaitType));

    [Fact]
    public async Task A_database_in_a_folder_of_the_checkout_is_named_with_the_way_to_work_on_it()
    {
        await using var model = await EditionModel.CreateAsync(Edition.Course, folder =>
        {
            folder.Write("docker/data/ibdata1", "");
            folder.Write(
                "docker/docker-compose.dev.yml",
                "services:\n  web: { image: web }\n  db:\n    image: mariadb\n    volumes:\n      - ./data:/var/lib/mysql\n");
        });
        var finding = Assert.Single(model.Findings, finding => finding.Subject == "volumes");
        Assert.Equal(6, finding.At.Line);
        Assert.Contains($"there is a database in {model.Folder}/docker/data", finding.Problem, StringComparison.Ordinal);
        Assert.Contains($"--opt device={model.Folder}/docker/data ", finding.Problem, StringComparison.Ordinal);
        Assert.Contains("--Uvlhub:DataVolume=", finding.Problem, StringComparison.Ordinal);
    }
}
