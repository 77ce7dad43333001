#!/usr/bin/env bash
# Draws the pictures that are made of the code, into docs/images: topology.svg from the AppHost's model of the bundled
# sample, layout.svg from what the folders of the AppHost use of each other. Needs Graphviz.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
command -v dot >/dev/null || { echo "Graphviz is missing (Debian: graphviz); install it, then try again." >&2; exit 2; }
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

dotnet tool restore >/dev/null
dotnet aspire do draw-topology -o "$work" --apphost AppHost/AppHost.csproj --non-interactive -- --Uvlhub:Environment=Development >"$work/log" ||
    { cat "$work/log" >&2; exit 1; }
dot -Tsvg "$work/topology.dot" -o docs/images/topology.svg

# The projects with what they refer to; inside the AppHost, the folders that AppHost.cs names and those that these build on.
folders() { find AppHost -mindepth 1 -maxdepth 1 -type d ! -name bin ! -name obj ! -name Properties -printf '%f\n' | sort; }
named() { sed -nE 's/^using UvlhubAspire\.AppHost\.([A-Za-z]+);/\1/p' AppHost/AppHost.cs | sort; }
column() { tr '\n' '|' | sed -e 's/|$//' -e 's/|/\\l/g' -e 's/$/\\l/'; }
{
    echo 'digraph layout { rankdir=LR; bgcolor=white; nodesep=0.25; ranksep=0.7'
    echo '  node [shape=box, style="rounded,filled", fillcolor="#eef3fb", color="#4a6fa5", fontname="Helvetica", fontsize=12]'
    echo '  edge [color="#7a7a7a", fontname="Helvetica", fontsize=10, fontcolor="#555555"]'
    echo "  \"AppHost.cs\" [label=\"AppHost/AppHost.cs\\nthe topology\"]"
    echo "  \"resources\" [label=\"what it is made of:\\l$(named | column)\"]"
    echo "  \"common\" [label=\"what these build on:\\l$(comm -23 <(folders) <(named) | column)\"]"
    echo '  "AppHost.cs" -> "resources" -> "common"'
    echo '  "resources" -> "UvlhubRunner" [label="starts"]; "resources" -> "images" [label="stand-ins"]; "AppHost.cs" -> "samples/minihub" [label="by default"]'
    for project in UvlhubRunner bench/Bench tests/*.Tests/; do
        name=${project%/}
        compgen -G "$name/*.csproj" >/dev/null || continue
        sed -nE 's|.*<ProjectReference Include="([^"]*)".*|\1|p' "$name"/*.csproj | while read -r reference; do
            target=$(realpath --relative-to=. "$name/$(dirname "$reference")")
            [ "$target" = AppHost ] && target=AppHost.cs
            printf '  "%s" -> "%s"\n' "$name" "$target"
        done
    done
    echo '}'
} >"$work/layout.dot"
dot -Tsvg "$work/layout.dot" -o docs/images/layout.svg
