"""One module per way to have a stage; see `stage.opening`."""
