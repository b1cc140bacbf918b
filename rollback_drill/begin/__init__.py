"""Begins a staging file: what a team's repository and a running service tell, written with where it
was found and with what a person must fill in.

`looks` has one look for each kind of thing that may be there; `draft` makes a file of what they
found; `keeping` writes it, or adds to one that is there without touching what a person wrote.
"""
