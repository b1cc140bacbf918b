"""A model of the demo and all around it, in virtual time: small, honest, and of no use to users.

What a real stage shows in half a minute it shows once; here a drill takes milliseconds, so that
rates can be stated (`make simulate`). What the model does not know it does not do: an unknown
command ends with 127, an unknown query is an error, an unknown path 404.
"""
