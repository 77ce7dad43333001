#!/bin/sh
# Runs locust. The command that uvlhub's Dockerfile.locust would end with is not known here: without arguments the
# checkout's collection of Locust files is taken from where its editions have it.
set -eu

if [ $# = 0 ] && [ -z "${LOCUST_LOCUSTFILE-}" ]; then
    for folder in "${WORKING_DIR:-.}" "${PYTHONPATH%%:*}" /workspace /app; do
        for file in core/bootstraps/locustfile_bootstrap.py app/bootstraps/locustfile_bootstrap.py; do
            if [ -f "$folder/$file" ]; then
                set -- --locustfile "$folder/$file"
                break 2
            fi
        done
    done
fi
exec locust "$@"
