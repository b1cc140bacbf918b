"""The document: read in full, held against rules, and what it says."""

"""The runbook as typed objects."""
