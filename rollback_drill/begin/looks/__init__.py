"""Looks at what is there: each module at one kind of thing. A look writes nothing and tells clues;
what it cannot read it leaves out. Values of variables are never among them, only their names.
"""
