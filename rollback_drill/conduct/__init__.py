"""Holds one drill: its request, its phases, and whoever goes along."""
