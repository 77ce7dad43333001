#!/usr/bin/env bash
# Takes the pictures of README.md from the bundled sample and its dashboard, into docs/images.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
dotnet run --project tests/EndToEnd.Tests -- -explicit only -class UvlhubAspire.EndToEnd.Tests.Screenshots
