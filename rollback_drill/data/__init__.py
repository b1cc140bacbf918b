"""What becomes of the data: every acknowledged write, all rows, and the archive."""
