"""Performs the runbook and verifies its checkboxes."""
