"""What goes wrong in every runbook: one module for a family of defects; see `runbook.lint`."""
