"""Binds every feature file of this folder to the sentences in `steps`."""

from pytest_bdd import scenarios

scenarios(".")
