"""Listings and reservations over HTTP, kept in Postgres."""

__version__ = "0.0.9"
