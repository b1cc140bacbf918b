#!/bin/bash
# New: operators may override any setting on the machine, without a deployment.
set -a
if [ -f "$SETTINGS_FILE" ]; then . "$SETTINGS_FILE"; fi
set +a
echo $$ > unleash.pid
# A small heap: memory is steady soon after a start.
exec node --max-semi-space-size=1 --max-old-space-size=72 --optimize-for-size \
  node_modules/unleash-server/dist/server.js
