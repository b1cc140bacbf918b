"""Mishaps of the demo's releases, hosts and tables; see `breaks.hazard`."""
