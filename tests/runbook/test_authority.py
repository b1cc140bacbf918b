"""The table of authority: who may start a rollback of which severity."""

from __future__ import annotations

from pathlib import Path

import pytest

from rollback_drill.ground.errors import UsageError
from rollback_drill.ground.verdict import Verdict
from rollback_drill.judge.judgement import judge
from rollback_drill.perform.told import Authorized
from rollback_drill.record.book import Book
from rollback_drill.record.timeline import Event
from rollback_drill.runbook.authority import check_roles, level_of, roles_of, rule_on
from rollback_drill.runbook.model import Authority
from rollback_drill.runbook.parse import parse

TABLE_PATH = Path(__file__).resolve().parents[2] / "runbook" / "rollback.md"
TABLE = parse(TABLE_PATH).authority


@pytest.mark.parametrize(
    ("level", "roles", "allowed"),
    [
        ("P0", "On-call engineer", True),
        ("P0", "CTO", True),
        ("P1", "On-call engineer", False),
        ("P1", "Engineering Lead", True),
        ("P1", "DevOps Lead", True),
        ("P1", "Engineering Manager", True),
        ("P2", "Engineering Lead", False),
        ("P2", "engineering manager", True),
        ("P3", "Engineering Manager", False),
        ("P3", "Product Owner", False),
        ("P3", "Product Owner, Engineering Manager", True),
        ("P3", "Engineering Manager and Product Owner", True),
        ("P1", "", False),
        ("P7", "CTO", False),
    ],
)
def test_who_may(level: str, roles: str, allowed: bool) -> None:
    ruling = rule_on(TABLE, level, roles_of(roles))
    assert ruling.allowed is allowed
    assert ruling.rule


def test_a_refusal_names_the_line_of_the_table() -> None:
    ruling = rule_on(TABLE, "P1", ["On-call engineer"])
    line = parse(TABLE_PATH).path.read_text().splitlines()[ruling.line - 1]
    assert "Engineering Lead or above" in line


def test_a_role_that_does_not_exist_is_a_users_mistake() -> None:
    check_roles(TABLE, roles_of("DevOps Lead"))
    with pytest.raises(UsageError, match="Night Porter"):
        check_roles(TABLE, roles_of("DevOps Lead, Night Porter"))


def test_levels_of_severities() -> None:
    assert [level_of(s) for s in ("critical", "high", "medium", "")] == ["P0", "P1", "P2", "P3"]


@pytest.mark.parametrize(
    ("rule", "roles", "allowed"),
    [
        ("Engineering Lead or above", "CTO", True),
        ("Engineering Lead or above", "Operator", False),
        ("Engineering Lead or above", "On-call engineer, Engineering Lead", True),
        ("Engineering Lead or Product Owner", "Product Owner", True),
        ("Engineering Lead or Product Owner", "Engineering Manager", False),
        ("Engineering Lead / DevOps Lead", "DevOps Lead", True),
        ("Product Owner + Engineering Manager", "Product Owner", False),
        ("Product Owner + Engineering Manager", "Engineering Manager, Product Owner", True),
        ("Product Owner + Engineering Manager or CTO", "CTO", True),
        ("Product Owner + Engineering Manager or CTO", "Product Owner", False),
        # Nobody knows who is above somebody without a place on the ladder.
        ("Release Captain or above", "On-call engineer", False),
        ("Release Captain or above", "CTO", False),
        ("Release Captain or above", "Release Captain", True),
        ("", "CTO", False),
    ],
)
def test_rules_of_other_tables(rule: str, roles: str, allowed: bool) -> None:
    ruling = rule_on([Authority("P1 (High)", rule, 7)], "P1", roles_of(roles))
    assert (ruling.allowed, ruling.line) == (allowed, 7)


@pytest.mark.parametrize(
    ("severity", "level", "role", "rule"),
    [
        ("high", "P1", "On-call engineer", "Engineering Lead or above"),
        ("medium", "P2", "Engineering Lead", "Engineering Manager"),
        ("", "P3", "Engineering Manager", "Product Owner and Engineering Manager together"),
    ],
)
def test_a_role_that_may_not_fails_the_drill_with_the_table_s_line(
    severity: str, level: str, role: str, rule: str
) -> None:
    ruling = rule_on(TABLE, level_of(severity), roles_of(role))
    said = Authorized((role,), level_of(severity), ruling.allowed, ruling.rule, ruling.line)
    judged = judge(Book([Event(1.0, said)]))
    (cause,) = (cause for cause in judged.causes if cause.where == "Authority")
    assert cause.verdict is Verdict.FAILED
    assert cause.what == (
        f"{role} may not start a rollback of {level}; line {ruling.line} of the runbook says: {rule}"
    )
