"""Whether the service answers as it did before: a golden set, asked again after the rollback."""
