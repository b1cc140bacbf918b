"""One module per kind of mishap; see `breaks.hazard`."""
