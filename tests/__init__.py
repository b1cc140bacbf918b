"""The suite's own tests, in rooms like the engine's."""
