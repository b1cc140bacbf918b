"""Sabotages of the demo: see `breaks.sabotage`."""
