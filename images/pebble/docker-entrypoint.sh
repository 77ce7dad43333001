#!/bin/sh
# Pebble's own certificate, new in every container: for the name pebble, the container's name, and PEBBLE_HOSTS
# (separated by spaces). Clients trust /etc/pebble/tls/cert.pem, which the management address does not give out.
set -eu

tls=/etc/pebble/tls
if [ ! -s $tls/cert.pem ]; then
    names=DNS:localhost,IP:127.0.0.1
    for host in pebble "$(hostname)" ${PEBBLE_HOSTS-}; do
        names="$names,DNS:$host"
    done
    mkdir -p $tls
    openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -noenc -days 3650 -subj /CN=pebble \
        -addext "subjectAltName=$names" -keyout $tls/key.pem -out $tls/cert.pem 2> /dev/null
fi
exec pebble -config /etc/pebble/config.json "$@"
