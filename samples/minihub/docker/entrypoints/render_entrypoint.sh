#!/bin/sh
# Brings the external database to the newest revision and serves it from this one container.
set -eu

sh ./scripts/wait-for-db.sh

flask db upgrade

exec gunicorn --bind "0.0.0.0:${PORT:-80}" app:app --log-level info --timeout 3600
