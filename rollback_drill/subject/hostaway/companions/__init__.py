"""The demo's customers who go along with a drill; see `conduct.companion`."""
