"""A service that its operations describe, as a staging environment's file lists them."""
