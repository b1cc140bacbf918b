"""Where a drill happens: hosts, releases, a database, a front door."""
