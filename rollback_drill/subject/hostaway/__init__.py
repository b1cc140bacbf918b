"""The demo service, whole: what is known of it and of nothing else."""
