#!/bin/bash
echo $$ > unleash.pid
# A small heap: memory is steady soon after a start.
exec node --max-semi-space-size=1 --max-old-space-size=72 --optimize-for-size \
  node_modules/unleash-server/dist/server.js
