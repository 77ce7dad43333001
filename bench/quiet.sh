#!/usr/bin/env bash
# Sourced by what measures: figures are those of a quiet machine only where nothing else ran when they were begun.

readonly QUIET=0.5

is_quiet() { awk -v most="$QUIET" '{ exit $1 > most }' /proc/loadavg; }

# Waits until what was built before has passed out of the last minute's load, three minutes at most. Leaves in LOAD how
# the result states the load at its start.
await_quiet() {
    is_quiet || echo "== Waiting for a load of $QUIET or less, three minutes at most" >&2
    local _
    for _ in $(seq 36); do
        ! is_quiet || break
        sleep 5
    done
    LOAD=$(cut -d' ' -f1-3 /proc/loadavg)
    is_quiet || {
        LOAD="$LOAD, above $QUIET: not the figures of a quiet machine"
        echo "== The load is $LOAD" >&2
    }
}
