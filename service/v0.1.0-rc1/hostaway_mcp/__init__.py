"""Listings and reservations over HTTP, kept in Postgres."""

__version__ = "0.1.0-rc1"
