"""A service in a Docker Compose project, on a machine that is reached by container exec."""
