#!/usr/bin/env bash
# Sets up what a bare Debian or Ubuntu lacks: a container engine with its builder, and the tool that makes the base
# image. Sourced by ./run, ./test and ./ci; every step looks first and does nothing where nothing is to do. Nothing in it
# needs more than bash 3.2, and what it uses on a machine that it installs nothing on is in every Unix.

readonly ENGINE_SUITE=trixie
readonly ENGINE_SOURCE=/etc/apt/sources.list.d/uvlhub-aspire-engine.sources
readonly ENGINE_PINS=/etc/apt/preferences.d/uvlhub-aspire-engine
readonly APPHOST="$ROOT/AppHost/AppHost.csproj"
readonly DOCKERD_LOG=/var/log/uvlhub-aspire-dockerd.log
# ask: a person at a terminal is asked before anything is installed, and without one it goes on; yes; no.
INSTALL=ask

say() { printf '== %s\n' "$*" >&2; }
fail() { printf 'UvlhubAspire: %s\n' "$*" >&2; exit 2; }

as_root() {
    if [ "$(id -u)" -eq 0 ]; then "$@"; else sudo -n "$@"; fi
}

# $1: seconds, $2...: a command. Without a limit where a system has no such tool (macOS).
within() {
    if command -v timeout >/dev/null; then timeout "$@"; else shift; "$@"; fi
}

# A line of the system's description of itself; $1: its name.
os_release() { (. /etc/os-release 2>/dev/null && eval "printf '%s' \"\${$1:-}\""); }

# The packages that make an engine on this system; nothing where we do not know them.
engine_packages() {
    case "$(os_release ID) $(os_release VERSION_CODENAME)" in
        "debian bookworm" | "debian trixie") echo docker.io docker-cli docker-buildx docker-compose ;;
        # Its docker.io has the client in it.
        "ubuntu jammy" | "ubuntu noble") echo docker.io docker-buildx docker-compose-v2 ;;
    esac
}

# Whether this machine is one that we may install packages on.
can_install() {
    [ "$INSTALL" != no ] && [ -n "$(engine_packages)" ] && command -v apt-get >/dev/null &&
        { [ "$(id -u)" -eq 0 ] || sudo -n true 2>/dev/null; }
}

engine_answers() { within 20 docker info >/dev/null 2>&1; }
has_buildx() { within 20 docker buildx version >/dev/null 2>&1; }

# Somebody outside the engine's group would wait for an engine that runs.
check_engine_group() {
    case "$(within 20 docker info 2>&1 || true)" in
        *"permission denied"*)
            fail "the container engine runs, but $(id -un) may not use it. 'sudo usermod -aG docker $(id -un)', then log in again, and try again." ;;
    esac
}

# $1: what is missing, $2: how a person gets it elsewhere.
must_install() {
    local packages
    packages=$(engine_packages)
    [ "$INSTALL" != no ] || fail "$1 is missing, and --no-install was given. Install $2${packages:+ (here the packages $packages iptables)}, then try again."
    can_install || fail "$1 is missing, and this is no Debian 12 or 13 and no Ubuntu 22.04 or 24.04 with root or password-less sudo, so nothing is installed. Install $2, then try again."
}

# Where this machine has an archive of Debian from; $1: its code name, $2: its label. Other archives have the same code name.
mirror_of() {
    apt-get indextargets --format '$(SITE)' 'Created-By: Packages' "Codename: $1" 'Origin: Debian' "Label: $2" | sort -u | head -n 1 || true
}

# The pins of one suite: it gives the engine, and nothing else unasked.
engine_pins() {
    cat <<PREFERENCES
Package: *
Pin: release n=$1
Pin-Priority: 100

Package: $(engine_packages)
Pin: release n=$1
Pin-Priority: 600
PREFERENCES
}

# $1: a mirror, $2: a suite.
engine_source() {
    cat <<SOURCE
Types: deb
URIs: $1
Suites: $2
Components: main
Signed-By: /usr/share/keyrings/debian-archive-keyring.gpg
SOURCE
}

# Debian 12's own engine is too old for current clients; Debian 13's needs nothing newer than Debian 12's C library.
# The pins take just these packages from there.
add_engine_suite() {
    [ "$(os_release ID) $(os_release VERSION_CODENAME)" = "debian bookworm" ] || return 0
    [ ! -e "$ENGINE_SOURCE" ] || return 0
    grep -rqsE "^(Suites:.*|deb .* )\b$ENGINE_SUITE\b" /etc/apt/sources.list /etc/apt/sources.list.d && [ -e "$ENGINE_PINS" ] && return 0

    # The machine's own mirrors and their key, whatever they are. Where it has security updates, the engine gets them too.
    local mirror security
    mirror=$(mirror_of bookworm Debian)
    security=$(mirror_of bookworm-security Debian-Security)
    [ -n "$mirror" ] || mirror=$(sed -n 's/^URIs: *//p' /etc/apt/sources.list.d/debian.sources 2>/dev/null | head -n 1 || true)
    [ -n "$mirror" ] || fail "cannot tell which Debian mirror this machine uses; install Docker 24 or newer with its buildx plugin, then try again."
    say "Adding Debian $ENGINE_SUITE as the source of the container engine alone"
    # The pins first: the source without them, after an interruption, would offer all of its packages.
    { engine_pins "$ENGINE_SUITE"; [ -z "$security" ] || { echo && engine_pins "$ENGINE_SUITE-security"; }; } |
        as_root tee "$ENGINE_PINS" >/dev/null
    { engine_source "$mirror" "$ENGINE_SUITE"; [ -z "$security" ] || { echo && engine_source "$security" "$ENGINE_SUITE-security"; }; } |
        as_root tee "$ENGINE_SOURCE" >/dev/null
    unset APT_UPDATED
    # A wrong guess must not stay: every later 'apt-get update' of the machine would fail.
    (apt_update_once) || {
        as_root rm -f "$ENGINE_SOURCE" "$ENGINE_PINS"
        fail "Debian $ENGINE_SUITE cannot be read from $mirror, so that source was taken out again. Install Docker 24 or newer with its buildx plugin, then try again."
    }
    APT_UPDATED=1
}

# On a terminal a person says whether; asked once.
ask_to_install() {
    [ "$INSTALL" = ask ] && [ -t 0 ] && [ -t 2 ] || return 0
    local answer
    printf 'UvlhubAspire installs packages of %s: %s. Go on? [Y/n] ' "$(os_release NAME)" "$*" >&2
    read -r answer || answer=n
    case "$answer" in
        [nN]*) fail "nothing was installed. Install them yourself, then try again; --yes spares the question." ;;
    esac
    INSTALL=yes
}

# Nothing that is there is removed for it: another engine stays.
install_packages() {
    ask_to_install "$@"
    say "Installing $*"
    as_root env DEBIAN_FRONTEND=noninteractive apt-get -o DPkg::Lock::Timeout=120 install -y -q --no-remove --no-install-recommends "$@" >/dev/null ||
        fail "the packages $* could not be installed; the reason stands above. Install them yourself, then try again."
}

apt_update_once() {
    [ -z "${APT_UPDATED:-}" ] || return 0
    say "Reading the package lists"
    as_root apt-get -o DPkg::Lock::Timeout=120 update -q >/dev/null || return
    APT_UPDATED=1
}

# An engine that was killed leaves its pid files, and sometimes its containerd, behind; both keep the next one from starting.
clear_stale_engine() {
    local file pid
    for file in /var/run/docker.pid /run/docker/containerd/containerd.pid; do
        [ -e "$file" ] || continue
        pid=$(cat "$file" 2>/dev/null || true)
        if [ -n "$pid" ] && [ -d "/proc/$pid" ]; then
            case "$(cat "/proc/$pid/comm" 2>/dev/null)" in
                dockerd) return 0 ;;
                containerd) pgrep -x dockerd >/dev/null || as_root kill "$pid" || true ;;
            esac
        fi
        as_root rm -f "$file"
    done
}

start_engine() {
    if [ -d /run/systemd/system ]; then
        as_root systemctl start docker
    else
        clear_stale_engine
        say "Starting the container engine (its log: $DOCKERD_LOG)"
        # A session of its own: it must outlive this script and its terminal.
        as_root sh -c "setsid dockerd >>$DOCKERD_LOG 2>&1 </dev/null &"
    fi
    local _
    for _ in $(seq 60); do
        engine_answers && return 0
        check_engine_group
        sleep 0.5
    done
    fail "the container engine does not answer 30 s after its start; see $DOCKERD_LOG"
}

setup_engine() {
    engine_answers && has_buildx && return 0
    check_engine_group

    if ! command -v dockerd >/dev/null || ! has_buildx; then
        if engine_answers; then
            must_install "the engine's buildx plugin" "docker-buildx-plugin"
        else
            [ -z "${DOCKER_HOST:-}" ] || fail "the engine at DOCKER_HOST=$DOCKER_HOST does not answer. Start it, or unset DOCKER_HOST."
            must_install "a container engine" "Docker with its buildx plugin"
        fi
        # shellcheck disable=SC2046 # several words
        ask_to_install $(engine_packages) iptables
        apt_update_once
        add_engine_suite
        # shellcheck disable=SC2046
        install_packages $(engine_packages) iptables
    fi

    engine_answers && return 0
    check_engine_group
    can_install || fail "the container engine does not answer ('docker info'). Start it, then try again."
    start_engine
}

# Only a machine that builds its images from Debian's packages needs this; where it cannot be had, registries must answer.
setup_image_tool() {
    command -v mmdebstrap >/dev/null && return 0
    can_install || return 0
    apt_update_once
    install_packages mmdebstrap
}

# With a linker the migrator is compiled to machine code, once; where none can be had, .NET compiles at each start
# (UvlhubRunner/AheadOfTime.props, which looks for the same).
setup_linker() {
    if [ -e /usr/include/stdlib.h ] && { [ -e /usr/bin/gcc ] || [ -e /usr/bin/clang ]; }; then return 0; fi
    can_install || return 0
    apt_update_once
    install_packages gcc libc6-dev
}

# Aspire's command line; $@: its words.
aspire() { (cd "$ROOT" && dotnet tool run aspire -- "$@"); }

# Aspire's command line looks for an AppHost for a short while only and does not find one that is busy.
wait_until_found() {
    local _
    for _ in $(seq 60); do
        ! aspire describe --non-interactive --nologo --apphost "$APPHOST" >/dev/null 2>&1 || return 0
        sleep 1
    done
    return 1
}

# The process id of this clone's AppHost; nothing if none runs. Its file may have been built anew since it was started.
running_apphost() {
    local process
    # shellcheck disable=SC2012 # this clone's name is known; of one program for all processes, this is in every Unix
    ls -l /proc/[0-9]*/exe 2>/dev/null | while read -r process; do
        case "${process% (deleted)}" in
            *" -> $ROOT/AppHost/bin/Debug/net10.0/AppHost")
                process=${process%%/exe -> *}
                printf '%s\n' "${process##*/}"
                ;;
        esac
    done | head -n 1 || true
}

# Leaves the SDK's version in SDK_VERSION.
setup_dotnet() {
    command -v dotnet >/dev/null || fail "the .NET SDK is missing: install .NET 10 (https://dot.net), then try again."
    SDK_VERSION=$(cd "$ROOT" && dotnet --version 2>/dev/null) || fail "no .NET 10 SDK was found; 'dotnet --list-sdks' shows what is there."
    case "$SDK_VERSION" in
        10.*) ;;
        *) fail "this needs the .NET 10 SDK, but 'dotnet --version' says $SDK_VERSION." ;;
    esac
}

# $@: what to build; nothing is printed unless it fails.
build() {
    say "Building"
    local log
    log=$(mktemp)
    if ! (cd "$ROOT" && dotnet tool restore >"$log" 2>&1 && dotnet build --nologo -v quiet "$@" >>"$log" 2>&1); then
        cat "$log" >&2
        rm -f "$log"
        fail "the build failed; the reason stands above."
    fi
    rm -f "$log"
}
