"""From the record to the verdict. Pure."""
