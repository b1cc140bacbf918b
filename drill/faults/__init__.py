"""What can be broken: one module per fault."""
