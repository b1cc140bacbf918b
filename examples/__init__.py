"""Worked examples: services that this project did not write, under drill."""
