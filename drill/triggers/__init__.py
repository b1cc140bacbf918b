"""One module per kind of trigger; see `drill.trigger`."""
