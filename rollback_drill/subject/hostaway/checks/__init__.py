"""Checkboxes about the demo's lists and code; see `perform.check`."""
