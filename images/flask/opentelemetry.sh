#!/bin/sh
# Installs OpenTelemetry's SDK, its OTLP exporter and the instrumentation of Flask and WSGI, or nothing.
set -eu

# The mirror that the base was made from.
sed -n 's/^deb \(.*\) trixie main$/deb [check-valid-until=no] \1 sid main/p' /etc/apt/sources.list > /etc/apt/sources.list.d/unstable.list
cat > /etc/apt/preferences.d/unstable <<'PIN'
Package: *
Pin: release n=sid
Pin-Priority: -1

Package: python3-opentelemetry-*
Pin: release n=sid
Pin-Priority: 600
PIN

if ! { apt-get update && apt-get install -y --no-install-recommends \
    python3-opentelemetry-sdk python3-opentelemetry-exporter-otlp-proto-http \
    python3-opentelemetry-instrumentation-flask python3-opentelemetry-instrumentation-wsgi python3-opentelemetry-instrumentation-requests \
    && python3 -c 'import opentelemetry.instrumentation.flask, opentelemetry.exporter.otlp.proto.http'; }; then
    echo "OpenTelemetry cannot be installed from Debian unstable: the image does without, the site sends no traces"
fi

# Later installs in a container see stable alone.
rm -rf /etc/apt/sources.list.d/unstable.list /etc/apt/preferences.d/unstable /var/lib/apt/lists/*
apt-get clean
