"""The service under drill, as the engine asks it."""
