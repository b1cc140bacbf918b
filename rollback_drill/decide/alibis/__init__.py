"""One module per alibi of a release; see `decide.attribution`."""
