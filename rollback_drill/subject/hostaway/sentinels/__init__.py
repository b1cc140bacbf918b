"""What can be seen of the demo alone; see `watch.sentinel`."""
