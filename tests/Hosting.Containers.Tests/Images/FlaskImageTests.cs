using Xunit;

namespace UvlhubAspire.Hosting.Containers.Tests.Images;

/// <summary>What images/flask promises.</summary>
public sealed class FlaskImageTests
{
    [Fact(Timeout = 600_000)]
    public async Task It_runs_flask_and_lists_its_packages()
    {
        await using var container = await TestContainer.StartAsync("flask", command: ["sleep", "infinity"]);

        var flask = await container.ExecAsync("flask", "--version");
        Assert.Contains("Flask 3.1", flask.Output, StringComparison.Ordinal);

        var packages = (await container.ExecAsync("cat", "/usr/share/uvlhub-aspire/python-packages.txt")).Output.Split('\n');
        Assert.All(packages, line => Assert.Matches("^[A-Za-z0-9][A-Za-z0-9._-]*==[0-9]", line));
        var names = packages.Select(line => line.Split("==")[0].ToLowerInvariant().Replace('_', '-')).ToList();
        foreach (var name in (string[])[
            "flask", "flask-migrate", "flask-login", "flask-wtf", "pymysql", "redis", "rq", "gunicorn", "locust", "selenium", "pytest",
            "debugpy",
        ])
        {
            Assert.Contains(name, names);
        }
    }

    [Theory(Timeout = 600_000)]
    [InlineData("rosemary")]
    [InlineData("rosemary/src/rosemary")]
    public async Task Rosemary_runs_the_package_of_the_checkout_wherever_the_edition_has_it(string package)
    {
        using var checkout = new TemporaryFolder();
        checkout.Write("app/__init__.py", "NAME = 'the application'\n");
        checkout.Write($"{package}/__init__.py", "");
        checkout.Write($"{package}/__main__.py", "import sys\nimport app\nprint(app.NAME, sys.argv[1:])\n");
        await using var container = await TestContainer.StartAsync("flask",
            ["--volume", $"{checkout.Path}:/workspace:ro", "--workdir", "/workspace"], ["sleep", "infinity"]);

        var result = await container.ExecAsync("rosemary", "db:seed", "-y; rm -rf /");

        Assert.Equal("the application ['db:seed', '-y; rm -rf /']", result.Output);
    }

    [Fact(Timeout = 600_000)]
    public async Task A_command_of_rosemary_that_imports_what_the_image_lacks_does_not_keep_the_others_from_running()
    {
        using var checkout = new TemporaryFolder();
        checkout.Write("app/__init__.py", "");
        checkout.Write("app/driver.py", "import webdriver_manager\n");
        checkout.Write("rosemary/__init__.py", "");
        checkout.Write("rosemary/commands/__init__.py", "");
        checkout.Write("rosemary/commands/selenium.py", "import app.driver\n");
        checkout.Write("rosemary/commands/seed.py", "def seed():\n    print('seeded')\n");
        checkout.Write(
            "rosemary/__main__.py",
            "import importlib\nfor name in ('selenium', 'seed'):\n    module = "
            + "importlib.import_module(f'rosemary.commands.{name}')\nmodule.seed()\n");
        await using var container = await TestContainer.StartAsync("flask",
            ["--volume", $"{checkout.Path}:/app:ro", "--workdir", "/app"], ["sleep", "infinity"]);

        var result = await container.ExecAsync("rosemary", "db:seed");

        Assert.Equal((true, "seeded"), (result.Succeeded, result.Output));
        Assert.Contains(
            "rosemary.commands.selenium are left out, because this image lacks webdriver_manager", result.Error, StringComparison.Ordinal);

        // A mistake of the checkout's own is none of the image.
        checkout.Write("rosemary/commands/seed.py", "import app.nothing\n");
        Assert.Contains(
            "No module named 'app.nothing'", (await container.ExecAsync("rosemary", "db:seed")).Error, StringComparison.Ordinal);
    }

    [Fact(Timeout = 600_000)]
    public async Task What_every_edition_imports_is_there()
    {
        // Written down from the three editions' import statements; what Debian lacks is not among them.
        string[] modules =
        [
            "alembic", "authlib", "bleach", "bs4", "click", "docker", "dotenv", "elasticsearch", "faker", "fakeredis", "flasgger",
            "flask_babel", "flask_cors",
            "flask_login", "flask_mail", "flask_migrate", "flask_restful", "flask_session", "flask_sqlalchemy", "flask_wtf",
            "importlib_metadata", "itsdangerous",
            "jinja2", "PIL", "psutil", "pymysql", "pytest", "pytest_cov", "pytz", "qrcode", "redis", "requests", "rq", "selenium",
            "sqlalchemy", "unidecode", "wtforms",
        ];
        await using var container = await TestContainer.StartAsync("flask", command: ["sleep", "infinity"]);

        var result = await container.ExecAsync("python", "-c", $"import {string.Join(", ", modules)}");

        Assert.True(result.Succeeded, result.Error);
    }
}
