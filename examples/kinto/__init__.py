"""Kinto, a JSON storage service with pages and authentication, drilled over ssh as staging."""
