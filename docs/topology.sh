#!/usr/bin/env bash
# Draws the pictures that are made of the code, into docs/images: topology.svg from the AppHost's model of the bundled
# sample, layout.svg from what the projects, and the rooms of the AppHost, refer to. Needs Graphviz.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
command -v dot >/dev/null || { echo "Graphviz is missing (Debian: graphviz); install it, then try again." >&2; exit 2; }
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

dotnet tool restore >/dev/null
dotnet aspire do draw-topology -o "$work" --apphost AppHost/AppHost.csproj --non-interactive -- --Uvlhub:Environment=Development >"$work/log" ||
    { cat "$work/log" >&2; exit 1; }
dot -Tsvg "$work/topology.dot" -o docs/images/topology.svg

# The test that compares the picture with the code knows what is to be in it.
dotnet build tests/Architecture.Tests --nologo -v quiet
UVLHUB_DRAW_LAYOUT="$work/layout.dot" tests/Architecture.Tests/bin/Debug/net10.0/Architecture.Tests -noColor -noLogo -class '*LayoutPictureTests' >"$work/log" ||
    { cat "$work/log" >&2; exit 1; }
dot -Tsvg "$work/layout.dot" -o docs/images/layout.svg
