"""Requests that depend on each other: streams of hits and misses with a given share of hits."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator
from statistics import NormalDist

Hits = Iterator[bool]
Traffic = Callable[[random.Random, float], Hits]
"""Makes an endless stream with this share of hits, at 100 requests a second where that matters."""
_PAUSE = 60  # requests: 0.6 s
_SELDOM = 1 / 30_000  # a pause in five minutes
_IN_A_SPELL = 6.0  # times the share
_SPELLS = 0.1  # of the time


def independent(chance: random.Random, p: float) -> Hits:
    """Each request by itself."""
    while True:
        yield chance.random() < p


def clusters(length: float) -> Traffic:
    """Hits one after the other, `length` of them on average."""

    def hits(chance: random.Random, p: float) -> Hits:
        inside, begins = chance.random() < p, p / (length * (1 - p))
        while True:
            inside = chance.random() < (1 - 1 / length if inside else begins)
            yield inside

    return hits


def spells(length: float) -> Traffic:
    """Spells of `length` requests on average in which the share is six times as high."""

    def hits(chance: random.Random, p: float) -> Hits:
        else_ = p * (1 - _SPELLS * _IN_A_SPELL) / (1 - _SPELLS)
        for inside in clusters(length)(chance, _SPELLS):
            yield chance.random() < (p * _IN_A_SPELL if inside else else_)

    return hits


def autocorrelated(memory: float) -> Traffic:
    """What is above its quantile 1 − p, where each request remembers the one before (AR(1))."""

    def hits(chance: random.Random, p: float) -> Hits:
        limit, step = NormalDist().inv_cdf(1 - p), (1 - memory**2) ** 0.5
        state = chance.gauss(0.0, 1.0)
        while True:
            state = memory * state + step * chance.gauss(0.0, 1.0)
            yield state > limit

    return hits


def paused(chance: random.Random, p: float) -> Hits:
    """Once in five minutes a pause of 0.6 s in which all are hits."""
    left = 0
    while True:
        if left == 0 and chance.random() < _SELDOM:
            left = _PAUSE
        left = max(0, left - 1)
        yield left > 0 or chance.random() < p - _PAUSE * _SELDOM
