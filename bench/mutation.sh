#!/usr/bin/env bash
# How many planted faults do the tests notice? Stryker plants them, one at a time, into what decides without a container
# (the list below, compiled as bench/Mutation/Decisions), runs the tests of it that need none, and
# bench/results/mutation.txt has the score and what nobody noticed: bench/mutation.sh.
set -euo pipefail
ROOT=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)

readonly STRYKER_VERSION=5.1.0
readonly FILES=(DatabaseState RestartPolicy DotEnvFile ComposeFile ComposeFileReader ComposeVariables ComposeYaml)
readonly TOOL=${XDG_CACHE_HOME:-$HOME/.cache}/uvlhub-aspire/stryker-$STRYKER_VERSION

[ -x "$TOOL/dotnet-stryker" ] || dotnet tool install dotnet-stryker --version "$STRYKER_VERSION" --tool-path "$TOOL" >&2

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
mutate=()
for file in "${FILES[@]}"; do
    mutate+=(--mutate "**/$file.cs")
done
begun=$SECONDS
(cd "$ROOT/bench/Mutation/DecisionTests" &&
    timeout 1200 "$TOOL/dotnet-stryker" --test-runner mtp --project Decisions.csproj "${mutate[@]}" --skip-version-check \
        --reporter json --reporter dots --output "$work" --concurrency "$(nproc)") >&2
how="Stryker $STRYKER_VERSION, $(((SECONDS - begun + 30) / 60)) min, $(nproc) cores"
(cd "$ROOT" && dotnet run bench/MutationReport.cs -- "$work/reports/mutation-report.json" bench/results/mutation.txt "$how")
