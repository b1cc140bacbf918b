"""Latent defects of the failing release, and what its customers may do; see `breaks.fault`."""
