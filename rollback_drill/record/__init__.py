"""The record: what is told, append-only, read once into a book."""
