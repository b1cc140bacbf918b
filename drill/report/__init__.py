"""Renders a timeline for people and machines."""
