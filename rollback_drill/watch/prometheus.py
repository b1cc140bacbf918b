"""Asks a Prometheus: are all targets up, do samples grow, is each panel in its normal range, does
an alert fire?
"""

from __future__ import annotations

import math

from rollback_drill.runbook.monitoring import WINDOW, Panel
from rollback_drill.stage import http
from rollback_drill.stage.answers import NoAnswer

_TIMEOUT_S = 5.0
_LEAST_WINDOW_S = 5


def query(url: str, expression: str) -> dict[str, float]:
    """Return the values of an instant query by the series' instance ("" without one).

    Raises NoAnswer when Prometheus does not answer, refuses the query, or answers something else.
    """
    answer = http.get(f"{url}/api/v1/query", params={"query": expression}, limit_s=_TIMEOUT_S)
    try:
        found = answer.checked().json()
        return {
            str(one["metric"].get("instance", "")): float(one["value"][1])
            for one in found["data"]["result"]
        }
    except (LookupError, TypeError, ValueError, AttributeError) as error:
        raise NoAnswer(f"no result from Prometheus: {error}") from None


def targets_up(url: str, job: str) -> dict[str, float]:
    """Return 1 or 0 for each target of the service's job."""
    return query(url, f'up{{job="{job}"}}')


def samples(url: str, requests: str) -> float:
    """Return how many requests all targets have counted by their last samples."""
    return sum(query(url, f"sum({requests})").values())


def value(url: str, panel: Panel, pace: float) -> float | None:
    """Return what `panel` shows now, None when there are no data for it.

    Pace shortens the window over which its rates are taken, as it does all waits.
    """
    found = list(query(url, _paced(panel.expression, pace)).values())
    return found[0] if found and not math.isnan(found[0]) else None


def alerts(url: str) -> tuple[list[str], int]:
    """Return the names of the alerts that fire, and how many rules there are that could.

    Raises NoAnswer as `query` does.
    """
    try:
        active, groups = (
            http.get(f"{url}/api/v1/{path}", limit_s=_TIMEOUT_S).checked().json()["data"][name]
            for path, name in (("alerts", "alerts"), ("rules", "groups"))
        )
        known = sum(one["type"] == "alerting" for group in groups for one in group["rules"])
        firing = [one for one in active if one["state"] == "firing"]
        return sorted(str(one["labels"]["alertname"]) for one in firing), known
    except (LookupError, TypeError, ValueError, AttributeError) as error:
        raise NoAnswer(f"no alerts from Prometheus: {error}") from None


def holds(url: str, expression: str, pace: float) -> bool:
    """Return whether an alert's condition holds now, its rates taken over a paced window."""
    return bool(query(url, _paced(expression, pace)))


def _paced(expression: str, pace: float) -> str:
    return expression.replace(f"[{WINDOW}]", f"[{max(_LEAST_WINDOW_S, round(60 / pace))}s]")
