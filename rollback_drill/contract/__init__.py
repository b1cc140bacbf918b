"""Whether the service keeps to its OpenAPI document as it did before: generated requests."""
