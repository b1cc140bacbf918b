#!/bin/bash
# New: operators may override any setting on the machine, without a deployment.
set -a
if [ -f "$SETTINGS_FILE" ]; then . "$SETTINGS_FILE"; fi
set +a
echo $$ > kinto.pid
exec .venv/bin/kinto start --ini kinto.ini --port 8823
