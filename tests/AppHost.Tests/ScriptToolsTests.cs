using Microsoft.Extensions.Logging.Abstractions;
using UvlhubAspire.Checkout;
using UvlhubAspire.Engine;
using UvlhubAspire.Hosting.Containers;
using Xunit;

namespace UvlhubAspire.AppHost.Tests;

/// <summary>What <c>run</c> and <c>ci</c> ask the system, where every tool is busybox's and none is GNU's.</summary>
public sealed class ScriptToolsTests : IDisposable
{
    private static readonly ContainerEngine s_engine = new("docker");
    private readonly TemporaryFolder _folder = new();

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    public void Dispose() => _folder.Dispose();

    [Theory(Timeout = 300_000)]
    [InlineData("the AppHost of this clone is found", """
        "$PROGRAM_FOLDER/AppHost" -c 'sleep 60; true' &
        /bin/bash -c 'sleep 60; true' &
        until [ "$(readlink /proc/$!/exe)" = /bin/bash ] || [ "$(readlink /proc/$!/exe)" = /usr/bin/bash ]; do sleep 0.1; done
        [ "$(running_apphost)" = "$(jobs -p | head -n 1)" ]
        """)]
    [InlineData("no other clone's is", """
        ROOT=/elsewhere
        "$PROGRAM_FOLDER/AppHost" -c 'sleep 60; true' &
        sleep 1
        [ -z "$(running_apphost)" ]
        """)]
    [InlineData("a program older than what it is made of is built anew", """
        mkdir -p "$HOME/.nuget/packages/aspire.hosting"
        touch "$PROGRAM_FOLDER/AppHost.dll"
        sleep 1
        touch /clone/AppHost/AppHost.cs
        ! is_built
        """)]
    [InlineData("tests for a browser are seen", """
        CHECKOUT=/clone/checkout
        mkdir -p /clone/checkout/node_modules
        touch /clone/checkout/node_modules/test_selenium_x.py
        if has_selenium_tests; then exit 1; fi
        touch /clone/checkout/test_selenium_y.py
        has_selenium_tests
        """)]
    public async Task With_the_tools_of_busybox(string promise, string script)
    {
        _folder.Write("Dockerfile", $"""
            FROM {DebianBase.Image}
            RUN apt-get update && apt-get install -y --no-install-recommends busybox-static
            """);
        var image = new ImageRecipe(
            "uvlhub-aspire/script-tests:busybox", Path.Combine(_folder.Path, "Dockerfile"), _folder.Path, NeedsDebianBase: true,
            IsContentTagged: true);
        await new ImageBuilder(s_engine, NullLoggerFactory.Instance).EnsureAsync(image, NullLogger.Instance, Cancellation);
        var root = Path.Combine(RepositoryFolder.Images, "..");
        string[] files = ["run", "ci", "setup.sh"];

        var ran = await s_engine.RunAsync(
            TimeSpan.FromMinutes(1), Cancellation,
            [
                "run", "--rm", "--init", "--network", "none", "--entrypoint", "bash",
                .. files.SelectMany(file => new[] { "--volume", $"{Path.GetFullPath(Path.Combine(root, file))}:/given/{file}:ro" }),
                image.Image, "-c", $$"""
                    set -euo pipefail
                    mkdir /tools
                    for tool in $(busybox --list); do ln -s "$(command -v busybox)" "/tools/$tool"; done
                    export PATH=/tools PROGRAM_FOLDER=/clone/AppHost/bin/Debug/net10.0
                    mkdir -p "$PROGRAM_FOLDER" /clone/{Checkout,Hosting,UvlhubRunner,ServiceDefaults,.config}
                    touch /clone/{Directory.Build.props,Directory.Packages.props,global.json,.editorconfig}
                    cp /bin/bash "$PROGRAM_FOLDER/AppHost"
                    cp /given/setup.sh /clone
                    for script in run ci; do
                        # Its functions alone.
                        sed -e '/^main "\$@"$/d' -e '/^\. /d' "/given/$script" >"/clone/$script"
                    done
                    ROOT=/clone
                    . /clone/setup.sh
                    . /clone/run
                    . /clone/ci
                    {{script}}
                    """,
            ]);

        Assert.True(ran.Succeeded, $"{promise}: {ran.Output}{ran.Error}");
    }
}
