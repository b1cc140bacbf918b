"""One module per kind of trigger; see `decide.trigger`."""
