"""The runbook as typed objects."""
