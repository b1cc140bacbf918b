"""What an auditor takes: a signed statement over a report, and who verifies it alone."""
