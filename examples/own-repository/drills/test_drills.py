"""Binds the features of this folder to the sentences that rollback-drill brings along."""

from pytest_bdd import scenarios

scenarios(".")
