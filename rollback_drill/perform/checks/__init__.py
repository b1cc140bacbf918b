"""One module per family of checkboxes."""
