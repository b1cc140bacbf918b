"""Each sentence of the features means one thing: exactly one step definition matches it."""

from __future__ import annotations

import importlib
import pkgutil
import re
from pathlib import Path

import parse
import pytest
from pytest_bdd.parser import FeatureParser

import steps

FEATURES = Path(__file__).resolve().parents[2] / "features"
PREFIX = re.compile(r"pytestbdd_stepdef_(given|when|then)_(.*)", re.DOTALL)


def definitions() -> list[tuple[str, str]]:
    found = []
    for module in pkgutil.iter_modules(steps.__path__):
        names = vars(importlib.import_module(f"steps.{module.name}"))
        found += [match.groups() for name in names if (match := PREFIX.fullmatch(name))]
    return [(kind, text) for kind, text in found]


def sentences() -> list[tuple[str, str]]:
    found = set()
    for path in sorted(FEATURES.glob("*.feature")):
        feature = FeatureParser(str(FEATURES), path.name).parse()
        for template in feature.scenarios.values():
            contexts = [dict(c) for e in template.examples for c in e.as_contexts()] or [{}]
            for context in contexts:
                scenario = template.render(context)
                found |= {(step.type, step.name) for step in scenario.steps}
    return sorted(found)


def matching(kind: str, sentence: str, known: list[tuple[str, str]]) -> list[str]:
    return [t for k, t in known if k == kind and (t == sentence or parse.parse(t, sentence))]


@pytest.mark.parametrize(("kind", "sentence"), sentences())
def test_a_sentence_has_one_meaning(kind: str, sentence: str) -> None:
    assert len(matching(kind, sentence, definitions())) == 1


def test_no_definition_is_left_over() -> None:
    used = {
        text for kind, sentence in sentences() for text in matching(kind, sentence, definitions())
    }
    assert used == {text for _, text in definitions()}


def test_two_meanings_would_be_found() -> None:
    known = [("then", "the drill has {word}"), ("then", "the drill has passed")]
    assert len(matching("then", "the drill has passed", known)) == 2
    assert matching("given", "the drill has passed", known) == []
