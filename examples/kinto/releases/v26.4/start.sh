#!/bin/bash
echo $$ > kinto.pid
exec .venv/bin/kinto start --ini kinto.ini --port 8823
