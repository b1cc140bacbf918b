"""What is broken on purpose: faults in the release, hazards in the rollback."""
