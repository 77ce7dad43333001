using Aspire.Hosting.ApplicationModel;
using UvlhubAspire.AppHost.Uvlhub;
using UvlhubAspire.Checkout;
using UvlhubAspire.Engine;
using UvlhubAspire.Hosting.Containers;
using Xunit;

namespace UvlhubAspire.AppHost.Tests.Uvlhub;

/// <summary>One topology, several environments: what differs, and what is refused.</summary>
public sealed class EnvironmentTests : IDisposable
{
    private const string Filled = """
        FLASK_ENV=production
        DOMAIN=uvlhub.example.org
        MARIADB_USER=user
        MARIADB_PASSWORD=one of its own
        MARIADB_ROOT_PASSWORD=another of its own
        """;

    private static readonly string[] s_aspects =
    [
        "image", "build", "name", "mount", "endpoint", "waits", "argument", "environment", "option", "network", "health", "restart",
        "start", "annotation",
    ];

    private readonly TemporaryFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Fact(Timeout = 60_000)]
    public async Task Staging_differs_from_Production_by_credentials_and_names_alone()
    {
        var production = await DescribeAsync("Production");
        var staging = await DescribeAsync("Staging");

        // Nothing is compared that is not described.
        Assert.All(s_aspects, aspect => Assert.Contains(production, line => line.Split(' ')[1] == aspect));
        Assert.NotEqual(production, staging);
        Assert.Equal(WithoutNames(production), WithoutNames(staging));
    }

    [Fact(Timeout = 60_000)]
    public async Task Production_mounts_no_code_and_opens_no_database()
    {
        var production = await DescribeAsync("Production");
        var development = await DescribeAsync("Development");

        Assert.Contains(development, line => line.StartsWith("web mount BindMount ", StringComparison.Ordinal));
        Assert.DoesNotContain(
            production,
            line =>
                line.Contains(" mount BindMount ", StringComparison.Ordinal)
                && line.Contains(RepositoryFolder.BundledSample, StringComparison.Ordinal)
                && line.StartsWith("web ", StringComparison.Ordinal));
        Assert.Contains(development, line => line.StartsWith("db endpoint ", StringComparison.Ordinal));
        Assert.DoesNotContain(production, line => line.StartsWith("db endpoint ", StringComparison.Ordinal));
        Assert.Contains(production, line => line.StartsWith("web argument gunicorn", StringComparison.Ordinal));
        Assert.DoesNotContain(production, line => line.StartsWith("web environment MARIADB_ROOT_PASSWORD", StringComparison.Ordinal));
        Assert.Contains(
            production,
            line =>
                line.StartsWith("nginx mount BindMount ", StringComparison.Ordinal)
                && line.Contains("nginx.prod.conf", StringComparison.Ordinal));
        Assert.DoesNotContain(production, line => line.Contains("/var/run/docker.sock", StringComparison.Ordinal));
    }

    [Fault(FaultArea.Production, "a secret is still a placeholder")]
    [Fact]
    public void Every_placeholder_is_refused_with_key_file_and_line()
    {
        var template = WriteCheckout(
            ".env.docker.production.example",
            "FLASK_ENV=production\nDOMAIN=<CHANGE_THIS>\nMARIADB_PASSWORD=<CHANGE_THIS>\nMARIADB_ROOT_PASSWORD=changeme\n");
        var message = Refusal();
        Proof.Happens("refused with each key, its file and line", () => Assert.Equal(
            [
                $"{template}:2: DOMAIN is still the placeholder <CHANGE_THIS>",
                $"{template}:3: MARIADB_PASSWORD is still the placeholder <CHANGE_THIS>",
                $"{template}:4: MARIADB_ROOT_PASSWORD is still the placeholder changeme",
            ],
            message.Split('\n').Select(line => line.Trim()).Where(line => line.StartsWith(template, StringComparison.Ordinal))));
        Proof.Reads("MARIADB_PASSWORD is still the placeholder <CHANGE_THIS>", message);
        Proof.Happens("with the two ways out", () =>
        {
            Assert.Contains("Copy this template to .env", message, StringComparison.Ordinal);
            Assert.Contains("Uvlhub:Secrets=generated", message, StringComparison.Ordinal);
        });
    }

    [Theory]
    [InlineData(".env.docker.example")]
    [InlineData(".env.local.example")]
    [InlineData(".env.template")]
    public void A_password_that_is_missing_or_stands_in_an_example_is_refused(string example)
    {
        _folder.Write(example, "MARIADB_PASSWORD=uvlhubdb_password\n");
        var file = WriteCheckout(".env", "MARIADB_PASSWORD=uvlhubdb_password\n");
        var message = Refusal();
        Assert.Contains(
            $"{file}:1: MARIADB_PASSWORD is the one of {example}, which everybody knows", message, StringComparison.Ordinal);
        Assert.Contains($"{file}: MARIADB_ROOT_PASSWORD is missing, or empty", message, StringComparison.Ordinal);
    }

    [Fact]
    public void A_token_that_is_soon_guessed_and_one_that_only_a_workflow_knows_are_refused()
    {
        var file = WriteCheckout(".env", $"{Filled}\nWEBHOOK_TOKEN=fifteen-letters\nMASTER_KEY=${{{{ secrets.MASTER_KEY }}}}\n");
        var message = Refusal();
        Assert.Contains($"{file}:6: WEBHOOK_TOKEN has 15 characters", message, StringComparison.Ordinal);
        Assert.Contains($"{file}:7: MASTER_KEY is still the placeholder ${{{{ secrets.MASTER_KEY }}}}", message, StringComparison.Ordinal);
    }

    [Fact]
    public void The_file_of_development_is_refused_in_Production()
    {
        var file = WriteCheckout(".env", $"{Filled}\nFLASK_ENV=development\n");
        var message = Refusal();
        Assert.StartsWith($"{file}:6: FLASK_ENV is 'development', and Production is asked for.", message, StringComparison.Ordinal);
    }

    [Fact]
    public void Filled_secrets_are_taken_as_they_are()
    {
        WriteCheckout(".env", Filled);
        var settled = RequiredSecrets.Settle(UvlhubCheckout.Read(_folder.Path, EnvironmentProfile.Production), new UvlhubOptions());
        Assert.Equal(("one of its own", "another of its own"), (settled.DatabasePassword, settled.RootPassword));
    }

    [Fact]
    public void Generated_secrets_leave_the_placeholders_out_and_keep_what_is_given()
    {
        WriteCheckout(
            ".env", "DOMAIN=<CHANGE_THIS>\nMARIADB_USER=<CHANGE_THIS>\nMARIADB_PASSWORD=<CHANGE_THIS>\nMARIADB_ROOT_PASSWORD=given\n");
        var options = new UvlhubOptions { Secrets = SecretSource.Generated, Domain = "uvlhub.example.org" };
        var settled = RequiredSecrets.Settle(UvlhubCheckout.Read(_folder.Path, EnvironmentProfile.Production), options);
        Assert.Equal((null, "given", "uvlhubdb_user"), (settled.DatabasePassword, settled.RootPassword, settled.DatabaseUser));
        Assert.Equal(("uvlhub.example.org", "production"), (settled.Environment["DOMAIN"], settled.Environment["FLASK_ENV"]));
    }

    [Fact(Timeout = 60_000)]
    public async Task Render_is_the_site_alone_on_port_80_and_its_database_is_elsewhere()
    {
        WriteRender($"{Filled}\nMARIADB_HOSTNAME=db.example.org\nMARIADB_PORT=3307\n");
        var render = await DescribeAsync("Render", $"--Uvlhub:Path={_folder.Path}", "--Uvlhub:Database:Administrator=admin");

        Assert.Equal(
            ["migrator FlaskResource", "rosemary FlaskResource", "web FlaskResource"],
            render.Where(
                line => line.EndsWith("Resource", StringComparison.Ordinal) && !line.Contains("Parameter", StringComparison.Ordinal)));
        Assert.Contains("web endpoint http 5000 80", render);
        Assert.Contains("web argument 0.0.0.0:80", render);
        Assert.Contains("web waits WaitForCompletion migrator", render);
        Assert.Contains("web environment MARIADB_HOSTNAME=db.example.org", render);
        Assert.Contains("web environment MARIADB_PORT=3307", render);
        Assert.Contains("migrator environment MARIADB_HOSTNAME=db.example.org", render);
        Assert.Contains("migrator environment Uvlhub__Database__Administrator=admin", render);
        Assert.DoesNotContain(render, line => line.StartsWith("web environment MARIADB_ROOT_PASSWORD", StringComparison.Ordinal));
        Assert.DoesNotContain(
            render,
            line =>
                line.Contains(" mount BindMount ", StringComparison.Ordinal) || line.Contains("mariadb_data", StringComparison.Ordinal));
    }

    [Theory]
    [InlineData("", "MARIADB_HOSTNAME is missing")]
    [InlineData("MARIADB_HOSTNAME=db", "MARIADB_HOSTNAME is 'db', and Render runs no database")]
    [InlineData("MARIADB_HOSTNAME=localhost", "the database's server is 'localhost', which inside a container is the container itself")]
    [InlineData("MARIADB_HOSTNAME=127.0.0.1", "which inside a container is the container itself")]
    [InlineData("MARIADB_HOSTNAME=a.org\nMARIADB_PORT=x", "MARIADB_PORT is 'x'; a port is a number from 1 to 65535")]
    public void A_server_that_no_container_could_reach_is_refused(string settings, string expected)
    {
        var file = WriteRender($"{Filled}\n{settings}\n");
        var message = Assert.Throws<UserErrorException>(
            () => ExternalServer.Read(new UvlhubOptions(), UvlhubCheckout.Read(_folder.Path, EnvironmentProfile.Render))).Message;
        Assert.StartsWith(file, message, StringComparison.Ordinal);
        Assert.Contains(expected, message, StringComparison.Ordinal);
    }

    [Fact]
    public void The_settings_stand_above_the_checkouts_file()
    {
        WriteRender($"{Filled}\nMARIADB_HOSTNAME=db\nMARIADB_PORT=1\n");
        var options = new UvlhubOptions { Database = new() { Host = "a.org", Port = 2 } };
        Assert.Equal(
            new ExternalServer("a.org", 2), ExternalServer.Read(options, UvlhubCheckout.Read(_folder.Path, EnvironmentProfile.Render)));
    }

    [Fact]
    public void Passwords_of_a_server_that_is_elsewhere_are_never_made_up()
    {
        var file = WriteRender(
            "FLASK_ENV=production\nDOMAIN=a.org\nMARIADB_HOSTNAME=a.org\nMARIADB_PASSWORD=<CHANGE_THIS>\nSECRET_KEY=<CHANGE_THIS>\n");
        var message = Assert.Throws<UserErrorException>(() => RequiredSecrets.Settle(
            UvlhubCheckout.Read(_folder.Path, EnvironmentProfile.Render),
            new UvlhubOptions { Secrets = SecretSource.Generated, Database = new() { Administrator = "admin" } })).Message;
        Assert.Contains($"{file}:4: MARIADB_PASSWORD is still the placeholder <CHANGE_THIS>", message, StringComparison.Ordinal);
        Assert.Contains($"{file}: MARIADB_ROOT_PASSWORD is missing, or empty", message, StringComparison.Ordinal);
        Assert.DoesNotContain("SECRET_KEY is", message, StringComparison.Ordinal);
    }

    [Fact(Timeout = 60_000)]
    public async Task Without_an_administrators_password_Renders_migrator_is_the_one_user_and_the_site_reads_the_gate_there()
    {
        var authority = _folder.Write("authority.pem", "a certificate");
        WriteRender(
            "FLASK_ENV=production\nDOMAIN=a.org\nMARIADB_HOSTNAME=a.org\nMARIADB_USER=team\nMARIADB_PASSWORD=one\nSECRET_KEY=k\n");

        var render = await DescribeAsync(
            "Render", $"--Uvlhub:Path={_folder.Path}", $"--Uvlhub:Database:CertificateAuthority={authority}");

        foreach (var name in (string[])["migrator", "web"])
        {
            Assert.Contains($"{name} environment UVLHUB_GATE=database", render);
            Assert.Contains($"{name} environment UVLHUB_DATABASE_CA={UvlhubEnvironment.AuthorityFile}", render);
        }

        Assert.Contains($"migrator environment Uvlhub__Database__CertificateAuthority={UvlhubEnvironment.AuthorityFile}", render);
        Assert.DoesNotContain(render, line => line.Contains("MARIADB_ROOT_PASSWORD", StringComparison.Ordinal));
        var refused = await Assert.ThrowsAsync<UserErrorException>(() => DescribeAsync(
            "Render", $"--Uvlhub:Path={_folder.Path}", "--Uvlhub:Database:CertificateAuthority=/nowhere.pem"));
        Assert.Equal("Uvlhub:Database:CertificateAuthority: there is no file /nowhere.pem", refused.Message);
    }

    private string WriteRender(string environment)
    {
        _folder.Write("app/__init__.py", "");
        _folder.Write("docker/images/Dockerfile.render", "FROM python:3.12-slim\nWORKDIR /app\n");
        return _folder.Write(".env.render", environment);
    }

    [Fact]
    public async Task The_migrator_knows_the_databases_by_the_names_that_the_model_gives_them()
    {
        await using var builder = await ModelOnly.CreateAsync();
        var names = builder.Resources.Select(resource => resource.Name).ToList();
        Assert.Contains(SharedNames.Server, names);
        Assert.Contains(SharedNames.Database, names);
    }

    private string Refusal() => Assert.Throws<UserErrorException>(() =>
        RequiredSecrets.Settle(UvlhubCheckout.Read(_folder.Path, EnvironmentProfile.Production), new UvlhubOptions())).Message;

    private string WriteCheckout(string environmentFile, string environment)
    {
        _folder.Write("app/__init__.py", "");
        _folder.Write("docker/images/Dockerfile.prod", "FROM python:3.12-slim\nWORKDIR /app\n");
        return _folder.Write(environmentFile, environment);
    }

    private static async Task<List<string>> DescribeAsync(string environment, params string[] settings)
    {
        await using var builder = await ModelOnly.CreateAsync(
            [$"--Uvlhub:Environment={environment}", "--Uvlhub:Secrets=generated", "--Uvlhub:Version=v1", .. settings]);

        List<string> lines = [];
        foreach (var resource in builder.Resources.OrderBy(resource => resource.Name, StringComparer.Ordinal))
        {
            lines.Add($"{resource.Name} {resource.GetType().Name}");
            lines.AddRange(resource.Annotations.OfType<EndpointAnnotation>().SelectMany(endpoint => new[]
            {
                $"{resource.Name} endpoint {endpoint.Name} {endpoint.Port} {endpoint.TargetPort}",
                $"{resource.Name} endpoint {endpoint.Name} {endpoint.Protocol} {endpoint.UriScheme} {endpoint.TargetHost} proxied "
                + $"{endpoint.IsProxied} external {endpoint.IsExternal}",
            }));
            lines.AddRange(resource.Annotations.OfType<WaitAnnotation>().SelectMany(wait => new[]
            {
                $"{resource.Name} waits {wait.WaitType} {wait.Resource.Name}",
                $"{resource.Name} waits for exit code {wait.ExitCode} of {wait.Resource.Name}",
            }));
            lines.AddRange(resource.Annotations.OfType<HealthCheckAnnotation>().Select(check => $"{resource.Name} health {check.Key}"));
            lines.AddRange(resource.Annotations.OfType<RestartPolicy>().Select(policy => $"{resource.Name} restart {policy}"));
            lines.Add(
                $"{resource.Name} start {(resource.Annotations.OfType<ExplicitStartupAnnotation>().Any() ? "by hand" : "by itself")}");
            // What is described nowhere else is there in both as often; aliases are names.
            lines.AddRange(
                resource.Annotations.Where(annotation => annotation is not ContainerNetworkAliasAnnotation)
                .CountBy(annotation => annotation.GetType()).Select(kind => $"{resource.Name} annotation {kind.Key.Name} {kind.Value}"));
            if (resource is ContainerResource container)
            {
                lines.AddRange(
                    Describe(await ContainerFacts.ReadAsync(container, builder.ExecutionContext, TestContext.Current.CancellationToken)));
            }
        }

        return lines;
    }

    private static IEnumerable<string> Describe(ContainerFacts container)
    {
        var name = container.Resource.Name;
        return
        [
            $"{name} image {container.Image} entrypoint {container.Resource.Entrypoint}",
            $"{name} name {container.ContainerName}",
            .. Describe(container.Origin).Select(line => $"{name} build {line}"),
            .. container.Mounts.Select(
                mount => $"{name} mount {mount.Type} {mount.Source} {mount.Target} {(mount.IsReadOnly ? "to be read" : "to be written")}"),
            .. container.Arguments.Select(argument => $"{name} argument {argument}"),
            .. container.Environment.OrderBy(variable => variable.Key, StringComparer.Ordinal)
                .Select(variable => $"{name} environment {variable.Key}={Text(variable.Value)}"),
            // An option and its value belong together, and both are one line here.
            $"{name} option {string.Join(' ', container.EngineOptions)}",
            .. container.HostNames.Select(host => $"{name} network {host}"),
        ];
    }

    private static IEnumerable<string> Describe(ContainerImage? image) =>
        image is null ? [] :
        [
            $"stand-in {image.StandIn} on {string.Join(' ', image.BaseImages ?? [])}",
            .. ((ImageRecipe?[])[image.CheckoutBuild, image.StandInBuild]).OfType<ImageRecipe>().SelectMany(recipe => (string[])
            [
                $"{recipe.Image} {recipe.Dockerfile} {recipe.Target} in {recipe.Context}",
                .. recipe.Arguments.Select(argument => $"argument {argument.Key}={argument.Value}"),
                .. recipe.Contexts.Select(context => $"context {context.Key}={context.Value}"),
            ]),
        ];

    private static string? Text(object value) =>
        value is IManifestExpressionProvider expression ? expression.ValueExpression : value.ToString();

    private static IEnumerable<string> WithoutNames(IEnumerable<string> lines) => lines
        .Select(line => line
            .Replace("staging_", "", StringComparison.Ordinal)
            .Replace("_staging", "", StringComparison.Ordinal).Replace("_production", "", StringComparison.Ordinal)
            .Replace("staging-", "", StringComparison.Ordinal).Replace("production-", "", StringComparison.Ordinal)
            .Replace("Uvlhub__Environment=Staging", "Uvlhub__Environment=Production", StringComparison.Ordinal))
        // Under the tutorial's name as well as under its own: without what sets the environments apart these are one.
        .Distinct()
        .Order(StringComparer.Ordinal);
}
