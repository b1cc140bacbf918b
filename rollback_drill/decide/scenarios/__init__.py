"""One module per kind of scenario; see `decide.diagnosis`."""
