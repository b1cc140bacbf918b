"""A service under systemd, reached by ssh as a user who may not do everything."""
