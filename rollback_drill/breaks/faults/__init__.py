"""What can be broken: one module per kind of fault; see `breaks.fault`."""
