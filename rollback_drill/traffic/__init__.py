"""What customers do, and what they see of it."""
