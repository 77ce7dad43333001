#!/usr/bin/env bash
# Takes the pictures of README.md and of the tutorial into docs/images, and notes there what each of them shows
# (pictures.txt), so that a test can tell when one is out of date. The tutorial is followed in /tmp/uvlhub-tutorial, with
# its own names and ports: nothing else may use them meanwhile.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
dotnet run --project tests/EndToEnd.Tests -- -explicit only -class UvlhubAspire.EndToEnd.Tests.Screenshots "$@"
