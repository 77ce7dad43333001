#!/bin/sh
# Brings the database to the newest revision and serves with gunicorn.
set -eu

sh ./scripts/wait-for-db.sh

flask db upgrade

exec gunicorn --bind 0.0.0.0:5000 app:app --log-level info --timeout 3600
