"""What the service's own metrics say, held against what its clients counted."""
