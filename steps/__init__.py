"""The language of the features: each module speaks for one part of the engine."""
