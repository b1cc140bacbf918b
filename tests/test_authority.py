"""The table of authority: who may start a rollback of which severity."""

from __future__ import annotations

from pathlib import Path

import pytest

from drill.authority import check_roles, level_of, roles_of, rule_on
from drill.errors import UsageError
from drill.runbook.parse import parse

TABLE_PATH = Path(__file__).resolve().parent.parent / "runbook" / "rollback.md"
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
