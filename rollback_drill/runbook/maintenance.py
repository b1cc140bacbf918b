"""Maintenance as the titles of a runbook's steps name it."""

from __future__ import annotations

import re

ENTER = re.compile(r"(?:enter|enable|start|switch on).*maintenance", re.IGNORECASE)
LEAVE = re.compile(r"(?:leave|exit|disable|end|switch off).*maintenance", re.IGNORECASE)
