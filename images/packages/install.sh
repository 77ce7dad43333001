#!/bin/sh
# Installs what the image lacks of OpenTelemetry and debugpy into a folder of their own. What is installed already binds the versions and
# is not touched; where no versions go with it, NAME.missing in the folder says why, and the image does without.
set -eu
folder=/opt/uvlhub-aspire/packages
work=$(mktemp -d)
mkdir -p "$folder"
cd "$work"
limits='--disable-pip-version-check --root-user-action=ignore --retries 1 --timeout 15'

resolve() {
    # A dry run knows what is there, which an installation into a folder does not.
    timeout 180 python -m pip install $limits --dry-run --report report.json --constraint constraints.txt "$@" >log 2>&1 || return 1
    python - >missing.txt <<'PYTHON'
import json
for package in json.load(open("report.json"))["install"]:
    print(f"{package['metadata']['name']}=={package['metadata']['version']}")
PYTHON
    [ ! -s missing.txt ] || timeout 180 python -m pip install $limits --no-deps --target "$folder" --requirement missing.txt >log 2>&1
}

add() {
    name=$1
    shift
    if resolve "$@"; then
        echo "$name: $(tr '\n' ' ' <missing.txt)"
        return
    fi
    # Whose version it is that does not go with it, if that is the reason; else pip's last word.
    reason=$(sed -n 's/^ *The user requested (constraint) //p' log | sort -u | tr '\n' ' ')
    if [ -n "$reason" ]; then
        reason="no version goes with ${reason% }"
    else
        reason=$(grep -i error log | tail -n 1)
    fi
    echo "$name: not installed: $reason"
    echo "$reason" >"$folder/$name.missing"
}

if python -m pip --version >log 2>&1; then
    # Not 'freeze', which shows where a package came from in place of its version, if that was a folder or an address.
    python -m pip list --disable-pip-version-check --format=freeze --exclude-editable 2>/dev/null >constraints.txt
    add opentelemetry opentelemetry-sdk opentelemetry-exporter-otlp-proto-http opentelemetry-instrumentation-flask opentelemetry-instrumentation-logging
    add debugpy debugpy
else
    for name in opentelemetry debugpy; do
        echo "the image has no pip" >"$folder/$name.missing"
    done
fi
rm -rf "$work"
