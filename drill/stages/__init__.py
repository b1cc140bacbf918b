"""Where drills happen: one module per stage."""
