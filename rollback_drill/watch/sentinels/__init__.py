"""One module per thing that is watched; see `watch.sentinel`."""
