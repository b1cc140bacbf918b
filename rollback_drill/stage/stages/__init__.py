"""One module per kind of stage; see `stage.opening`."""
