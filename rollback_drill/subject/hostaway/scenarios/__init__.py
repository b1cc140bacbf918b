"""Scenarios of the demo; see `decide.diagnosis`."""
