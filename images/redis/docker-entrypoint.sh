#!/bin/sh
# The official image's server has no protected mode built in, which would refuse every other container.
set -e
if [ "$1" = redis-server ]; then
    shift
    set -- redis-server "$@" --protected-mode no
fi
exec "$@"
