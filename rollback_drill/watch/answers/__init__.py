"""Whether what clients were answered can be true; see `traffic.contradictions`."""
