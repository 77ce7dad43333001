using System.Runtime.Versioning;
using CliWrap;
using CliWrap.Buffered;
using UvlhubAspire.Checkout;
using Xunit;

namespace UvlhubAspire.AppHost.Tests;

/// <summary>
/// What <c>setup.sh</c> does to a machine. It runs with mounts of its own over <c>/etc/apt</c>, <c>/run</c> and
/// <c>/var/log</c>, and with stand-ins for what would reach the engine or Debian's archive.
/// </summary>
[SupportedOSPlatform("linux")]
public sealed class SetupScriptTests : IDisposable
{
    private const string Sources = "apt/sources.list.d/uvlhub-aspire-engine.sources";
    private const string Pins = "apt/preferences.d/uvlhub-aspire-engine";

    private readonly TemporaryFolder _machine = new();

    public SetupScriptTests()
    {
        _machine.Write("os-release", "ID=debian\nVERSION_CODENAME=bookworm\n");
        _machine.Write(
            "apt/sources.list.d/debian.sources", "Types: deb\nURIs: http://written.example/debian\nSuites: bookworm\nComponents: main\n");
        Directory.CreateDirectory(Path.Combine(_machine.Path, "apt", "preferences.d"));
        // No engine answers; with an engine's packages one does.
        Stub("docker", "[ -e \"$MACHINE/installed\" ]");
        Stub(
            "apt-get",
            "case \"$*\" in indextargets*-security*) [ ! -e \"$MACHINE/security\" ] || cat \"$MACHINE/security\" ;; "
            + "indextargets*) [ ! -e \"$MACHINE/mirror\" ] || cat \"$MACHINE/mirror\" ;; *install*) touch "
            + "\"$MACHINE/installed\" ;; esac");
        Stub("dockerd", "true");
        Stub("pgrep", "exit 1");
        Stub("sleep", "true");
    }

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    private string[] Calls =>
        File.Exists(Path.Combine(_machine.Path, "calls")) ? File.ReadAllLines(Path.Combine(_machine.Path, "calls")) : [];

    [Theory(Timeout = 60_000)]
    [InlineData("http://security.example/debian-security\nhttp://index.example/debian\n", "http://index.example/debian")]
    [InlineData(null, "http://written.example/debian")]
    public async Task The_engine_alone_comes_from_the_next_Debian_by_the_mirror_of_the_machine(string? index, string mirror)
    {
        if (index is not null)
        {
            _machine.Write("mirror", index);
        }

        var result = await RunAsync("add_engine_suite");

        Assert.True(result.ExitCode == 0, result.Output);
        Assert.Equal(
            ["Types: deb", $"URIs: {mirror}", "Suites: trixie", "Components: main", "Signed-By: /usr/share/keyrings/debian-archive-keyring.gpg"],
            ReadLines(Sources));
        Assert.Equal(
            [
                "Package: *", "Pin: release n=trixie", "Pin-Priority: 100",
                "",
                "Package: docker.io docker-cli docker-buildx docker-compose", "Pin: release n=trixie", "Pin-Priority: 600",
            ],
            ReadLines(Pins));
    }

    [Fact(Timeout = 60_000)]
    public async Task Where_the_machine_has_security_updates_the_engine_gets_them_from_the_same_mirror()
    {
        _machine.Write("security", "http://security.example/debian-security\n");

        Assert.Equal(0, (await RunAsync("add_engine_suite")).ExitCode);

        Assert.Equal(
            [
                "", "Types: deb", "URIs: http://security.example/debian-security", "Suites: trixie-security", "Components: main",
                "Signed-By: /usr/share/keyrings/debian-archive-keyring.gpg",
            ],
            ReadLines(Sources).Skip(5));
        Assert.Equal(
            [
                "", "Package: *", "Pin: release n=trixie-security", "Pin-Priority: 100",
                "",
                "Package: docker.io docker-cli docker-buildx docker-compose", "Pin: release n=trixie-security", "Pin-Priority: 600",
            ],
            ReadLines(Pins).Skip(7));
    }

    [Theory(Timeout = 60_000)]
    [InlineData("trixie")]
    [InlineData("noble")]
    public async Task Another_release_keeps_its_sources(string codename)
    {
        _machine.Write("os-release", $"ID={(codename == "noble" ? "ubuntu" : "debian")}\nVERSION_CODENAME={codename}\n");

        Assert.Equal(0, (await RunAsync("add_engine_suite")).ExitCode);

        Assert.False(File.Exists(Path.Combine(_machine.Path, Sources)));
        Assert.False(File.Exists(Path.Combine(_machine.Path, Pins)));
    }

    [Fact(Timeout = 60_000)]
    public async Task What_was_added_is_not_written_again()
    {
        _machine.Write(Sources, "# as its owner wants it\n");

        Assert.Equal(0, (await RunAsync("add_engine_suite")).ExitCode);

        Assert.Equal(["# as its owner wants it"], ReadLines(Sources));
        Assert.False(File.Exists(Path.Combine(_machine.Path, Pins)));
    }

    [Fact(Timeout = 60_000)]
    public async Task Without_the_pins_the_new_source_is_not_added()
    {
        Stub("tee", "case \"$1\" in */preferences.d/*) exit 1 ;; esac; cat >\"$1\"");

        Assert.Equal(1, (await RunAsync("add_engine_suite")).ExitCode);

        Assert.False(File.Exists(Path.Combine(_machine.Path, Sources)));
    }

    [Fact(Timeout = 60_000)]
    public async Task Without_a_mirror_nothing_is_written_and_the_way_out_is_said()
    {
        _machine.Write("apt/sources.list.d/debian.sources", "# none\n");

        var result = await RunAsync("add_engine_suite");

        Assert.Equal(2, result.ExitCode);
        Assert.Contains(
            "cannot tell which Debian mirror this machine uses; install Docker 24 or newer", result.Output, StringComparison.Ordinal);
        Assert.False(File.Exists(Path.Combine(_machine.Path, Sources)));
    }

    [Fact(Timeout = 60_000)]
    public async Task A_bare_Debian_gets_the_engine_after_the_lists_of_its_new_source_were_read()
    {
        var result = await RunAsync("setup_engine");

        Assert.True(result.ExitCode == 0, result.Output);
        Assert.Equal(
            ["update -q", "indextargets", "indextargets", "update -q", "install -y -q --no-remove --no-install-recommends docker.io docker-cli "
                + "docker-buildx docker-compose iptables"],
            Calls.Where(call => call.StartsWith("apt-get ", StringComparison.Ordinal))
                .Select(call => call["apt-get ".Length..].Replace("-o DPkg::Lock::Timeout=120 ", "", StringComparison.Ordinal))
                .Select(call => call.StartsWith("indextargets", StringComparison.Ordinal) ? "indextargets" : call));
        Assert.DoesNotContain(Calls, call => call.StartsWith("dockerd", StringComparison.Ordinal));
    }

    [Fault(FaultArea.Engine, "there is no container engine, and the machine is none that packages may be installed on")]
    [Fact(Timeout = 60_000)]
    public async Task A_machine_that_is_no_Debian_of_ours_is_told_what_to_install()
    {
        Stub("id", "echo 1000");
        Stub("sudo", "exit 1");

        var result = await RunAsync("setup_engine");

        Proof.Happens("refused before anything is installed", () =>
        {
            Assert.Equal(2, result.ExitCode);
            Assert.DoesNotContain(Calls, call => call.StartsWith("apt-get", StringComparison.Ordinal));
        });
        Proof.Reads(
            "a container engine is missing, and this is no Debian 12 or 13 and no Ubuntu 22.04 or 24.04 with root or password-less sudo, so "
            + "nothing is installed. Install Docker with its buildx plugin",
            result.Output);
    }

    [Theory(Timeout = 60_000)]
    [InlineData("ubuntu", "jammy", "docker.io docker-buildx docker-compose-v2 iptables")]
    [InlineData("ubuntu", "noble", "docker.io docker-buildx docker-compose-v2 iptables")]
    [InlineData("debian", "trixie", "docker.io docker-cli docker-buildx docker-compose iptables")]
    [InlineData("debian", "bullseye", null)]
    [InlineData("linuxmint", "wilma", null)]
    [InlineData("fedora", "", null)]
    public async Task Each_system_gets_the_packages_that_it_has_and_one_that_is_not_known_is_told_what_to_install(
        string system, string codename, string? packages)
    {
        _machine.Write("os-release", $"ID={system}\nVERSION_CODENAME={codename}\n");

        var result = await RunAsync("setup_engine");

        Assert.Equal(packages is null ? 2 : 0, result.ExitCode);
        Assert.Equal(packages is null, result.Output.Contains("Install Docker with its buildx plugin, then try again", StringComparison.Ordinal));
        Assert.Equal(
            packages is null ? [] : [packages],
            Calls.Where(call => call.Contains(" install ", StringComparison.Ordinal)).Select(call => call.Split("recommends ")[1]));
        Assert.False(File.Exists(Path.Combine(_machine.Path, Sources)));
    }

    [Fact(Timeout = 60_000)]
    public async Task A_source_that_cannot_be_read_is_taken_out_again()
    {
        // The lists of the machine's own sources can be read.
        Stub("apt-get", "case \"$*\" in *update*) [ ! -e /etc/apt/sources.list.d/uvlhub-aspire-engine.sources ] ;; esac");

        var result = await RunAsync("setup_engine");

        Assert.Equal(2, result.ExitCode);
        Assert.Contains(
            "Debian trixie cannot be read from http://written.example/debian, so that source was taken out again", result.Output,
            StringComparison.Ordinal);
        Assert.False(File.Exists(Path.Combine(_machine.Path, Sources)));
        Assert.False(File.Exists(Path.Combine(_machine.Path, Pins)));
        Assert.DoesNotContain(Calls, call => call.Contains(" install ", StringComparison.Ordinal));
    }

    [Fact(Timeout = 60_000)]
    public async Task An_archive_of_somebody_elses_with_the_same_code_name_is_not_asked_for_the_engine()
    {
        var result = await RunAsync("add_engine_suite");

        Assert.True(result.ExitCode == 0, result.Output);
        Assert.Equal(
            ["Codename: bookworm Origin: Debian Label: Debian", "Codename: bookworm-security Origin: Debian Label: Debian-Security"],
            Calls.Where(call => call.Contains("indextargets", StringComparison.Ordinal)).Select(call => call[call.IndexOf("Codename", StringComparison.Ordinal)..]));
    }

    [Fact(Timeout = 60_000)]
    public async Task Packages_that_cannot_be_installed_without_removing_others_are_not_and_it_is_said()
    {
        Stub("apt-get", "case \"$*\" in *--no-remove*) echo 'E: Packages need to be removed but remove is disabled.' >&2; exit 100 ;; esac");

        var result = await RunAsync("setup_engine");

        Assert.Equal(2, result.ExitCode);
        Assert.Contains("remove is disabled", result.Output, StringComparison.Ordinal);
        Assert.Contains("could not be installed; the reason stands above", result.Output, StringComparison.Ordinal);
    }

    [Theory(Timeout = 60_000)]
    [InlineData("setup_engine")]
    [InlineData("check_engine_group")]
    public async Task Somebody_outside_the_engines_group_is_told_so_at_once(string step)
    {
        Stub("docker", "[ \"$1\" = buildx ] || { echo 'permission denied while trying to connect to the Docker daemon socket' >&2; exit 1; }");

        var result = await RunAsync(step);

        Assert.Equal(2, result.ExitCode);
        Assert.Contains("may not use it. 'sudo usermod -aG docker ", result.Output, StringComparison.Ordinal);
        Assert.DoesNotContain(Calls, call => call.StartsWith("apt-get", StringComparison.Ordinal) || call.StartsWith("sleep", StringComparison.Ordinal));
    }

    [Fact(Timeout = 60_000)]
    public async Task Told_to_install_nothing_it_names_what_is_missing()
    {
        var result = await RunAsync("INSTALL=no; setup_engine");

        Assert.Equal(2, result.ExitCode);
        Assert.Contains(
            "--no-install was given. Install Docker with its buildx plugin (here the packages docker.io docker-cli docker-buildx "
            + "docker-compose iptables), then try again", result.Output, StringComparison.Ordinal);
        Assert.DoesNotContain(Calls, call => call.StartsWith("apt-get", StringComparison.Ordinal));
    }

    [Theory(Timeout = 60_000)]
    [InlineData("n", "ask", "nothing was installed")]
    [InlineData("y", "ask", "and goes on")]
    [InlineData("", "yes", "and goes on")]
    public async Task A_person_at_a_terminal_is_asked(string answer, string install, string said)
    {
        var question = _machine.Write("question", $"ROOT=$ROOT; . \"$ROOT/setup.sh\"; INSTALL={install}; ask_to_install one two; echo and goes on\n");
        var result = await RunAsync($"export ROOT; script --quiet --return --command 'bash {question}' /dev/null <<<'{answer}' || true");

        Assert.Contains(said, result.Output, StringComparison.Ordinal);
        Assert.Equal(install == "ask", result.Output.Contains("one two. Go on? [Y/n]", StringComparison.Ordinal));
    }

    [Fact(Timeout = 60_000)]
    public async Task An_engine_elsewhere_that_does_not_answer_is_named_and_none_is_installed_here()
    {
        var result = await RunAsync("export DOCKER_HOST=tcp://elsewhere.example:2375; setup_engine");

        Assert.Equal(2, result.ExitCode);
        Assert.Contains("the engine at DOCKER_HOST=tcp://elsewhere.example:2375 does not answer", result.Output, StringComparison.Ordinal);
        Assert.DoesNotContain(Calls, call => call.StartsWith("apt-get", StringComparison.Ordinal));
    }

    [Fault(FaultArea.Engine, "the container engine is started and does not answer")]
    [Fact(Timeout = 60_000)]
    public async Task An_engine_that_does_not_answer_after_its_start_is_given_up_with_the_place_of_its_log()
    {
        Stub("docker", "[ \"$1\" = buildx ]");

        var result = await RunAsync("setup_engine; echo and goes on");

        Assert.Contains("dockerd", Calls.Select(call => call.TrimEnd()));
        Proof.Happens("given up after half a minute", () =>
        {
            Assert.Equal(2, result.ExitCode);
            Assert.Equal(60, Calls.Count(call => call == "sleep 0.5"));
            Assert.DoesNotContain("and goes on", result.Output, StringComparison.Ordinal);
        });
        Proof.Reads("the container engine does not answer 30 s after its start; see /var/log/uvlhub-aspire-dockerd.log", result.Output);
    }

    [Fault(FaultArea.Engine, "the engine was killed and has left its files of process ids")]
    [Theory(Timeout = 60_000)]
    // No process has so high a number.
    [InlineData("echo 4194305", "echo 4194305", "")]
    [InlineData("echo", "true", "")]
    // Another process has got the number of the dead engine.
    [InlineData("echo $$", "echo $$", "")]
    // A dockerd runs: these are its files.
    [InlineData("named dockerd", "echo 4194305", "/run/docker.pid /run/docker/containerd/containerd.pid")]
    public async Task The_files_of_an_engine_that_is_gone_are_removed_and_those_of_one_that_runs_are_kept(
        string engine, string containerd, string left)
    {
        var result = await RunAsync($$"""
            cp "$(PATH=/usr/bin:/bin command -v sleep)" "$MACHINE/dockerd"
            named() { "$MACHINE/$1" 60 >/dev/null 2>&1 & echo $!; }
            mkdir -p /run/docker/containerd
            {{engine}} >/run/docker.pid
            {{containerd}} >/run/docker/containerd/containerd.pid
            clear_stale_engine
            echo left: $(ls /run/docker.pid /run/docker/containerd/containerd.pid 2>/dev/null)
            if [ -s /run/docker.pid ]; then kill "$(cat /run/docker.pid)"; fi
            """);

        Assert.True(result.ExitCode == 0, result.Output);
        Proof.Happens(
            "removed before the next start, unless an engine runs",
            () => Assert.Contains($"left: {left}".Trim() + "\n", result.Output, StringComparison.Ordinal));
    }

    [Fact(Timeout = 60_000)]
    public async Task The_containerd_that_a_killed_engine_left_running_is_ended()
    {
        var result = await RunAsync("""
            cp "$(PATH=/usr/bin:/bin command -v sleep)" "$MACHINE/containerd"
            mkdir -p /run/docker/containerd
            "$MACHINE/containerd" 60 >/dev/null 2>&1 &
            echo $! >/run/docker/containerd/containerd.pid
            clear_stale_engine
            status=0; wait $! || status=$?
            echo "ended with $status; $(ls /run/docker/containerd)."
            """);

        Assert.Contains($"ended with {128 + 15}; .", result.Output, StringComparison.Ordinal);
    }

    public void Dispose() => _machine.Dispose();

    // Each says with which words it was called, and then does what is given.
    private void Stub(string name, string body)
    {
        var file = _machine.Write($"bin/{name}", $"#!/bin/bash\nprintf '%s %s\\n' {name} \"$*\" >>\"$MACHINE/calls\"\n{body}\n");
        File.SetUnixFileMode(file, UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute);
    }

    private string[] ReadLines(string file) => File.ReadAllLines(Path.Combine(_machine.Path, file));

    private async Task<(int ExitCode, string Output)> RunAsync(string script)
    {
        var root = Path.GetDirectoryName(RepositoryFolder.Images)!;
        var file = _machine.Write("script", $"""
            set -euo pipefail
            mount --bind "$MACHINE/apt" /etc/apt
            mount --bind "$MACHINE/os-release" /etc/os-release
            mount -t tmpfs tmpfs /run
            mount -t tmpfs tmpfs /var/log
            echo mounted
            export PATH="$MACHINE/bin:$PATH"
            unset DOCKER_HOST
            ROOT={root}
            . "$ROOT/setup.sh"
            {script}
            """);
        string[] rights = Environment.UserName == "root" ? [] : ["--map-root-user"];
        var result = await Cli.Wrap("unshare").WithArguments(["--mount", .. rights, "bash", file])
            .WithEnvironmentVariables(environment => environment.Set("MACHINE", _machine.Path))
            .WithValidation(CommandResultValidation.None).ExecuteBufferedAsync(Cancellation);
        Assert.SkipUnless(
            result.StandardOutput.StartsWith("mounted\n", StringComparison.Ordinal),
            $"nothing can be mounted here: {result.StandardError}");
        return (result.ExitCode, $"{result.StandardOutput["mounted\n".Length..]}{result.StandardError}");
    }
}
