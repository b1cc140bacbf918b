"""Unleash, a service for feature flags in Node, with clients that poll it, drilled as staging."""
