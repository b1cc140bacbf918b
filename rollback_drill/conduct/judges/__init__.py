"""What this room asks of a record."""
