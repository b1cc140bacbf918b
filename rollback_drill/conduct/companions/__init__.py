"""Whoever goes along with every drill; see `conduct.companion`."""
