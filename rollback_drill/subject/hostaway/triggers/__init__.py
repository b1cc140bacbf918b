"""Triggers that only what the demo released can set off; see `decide.trigger`."""
