"""What monitors the service: alert rules and a dashboard made of the runbook, and Prometheus."""
