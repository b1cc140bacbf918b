"""Alert rules and a dashboard, made of the runbook's matrix, so that both say what it says."""

from __future__ import annotations

import math
from dataclasses import dataclass

from rollback_drill.runbook.model import MatrixRow, Runbook

WINDOW = "1m"
"""Over which rates are taken."""
_FOR = "1m"


@dataclass(frozen=True, slots=True)
class MetricNames:
    """What a service's own metrics are called. `job`: its name in Prometheus; `requests`: a counter
    with the answers' `status`; `seconds`: a histogram of the time that answers took.
    """

    job: str
    requests: str
    seconds: str

    @property
    def up(self) -> str:
        """Whether all of its hosts answer."""
        return f'min(up{{job="{self.job}"}})'

    @property
    def rate(self) -> str:
        """Requests a second."""
        return f"sum(rate({self.requests}[{WINDOW}]))"

    @property
    def error_rate(self) -> str:
        """The share of requests that fail."""
        errors = f'sum(rate({self.requests}{{status=~"5.."}}[{WINDOW}])) / {self.rate}'
        # Without a single error there is no such series: a rate of zero, where requests came.
        return f"({errors}) or ({self.rate} > 0) * 0"

    def quantile(self, row: MatrixRow) -> str:
        """The quantile of response times of which `row` speaks."""
        buckets = f"sum by (le) (rate({self.seconds}_bucket[{WINDOW}]))"
        return f"histogram_quantile({row.quantile:g}, {buckets})"


@dataclass(frozen=True, slots=True)
class Panel:
    """One picture: its query, and the half-open range [low, high) that is normal."""

    title: str
    expression: str
    unit: str
    low: float
    high: float


def panels(runbook: Runbook, metrics: MetricNames) -> list[Panel]:
    """Return the dashboard's panels; what is normal is the first row of the runbook's matrix."""
    normal = runbook.matrix[0]
    return [
        Panel("Error rate", metrics.error_rate, "percentunit", 0.0, normal.error_rate.high),
        Panel(
            f"Response time, p{normal.quantile * 100:g}",
            metrics.quantile(normal),
            "s",
            0.0,
            normal.p95.high,
        ),
        Panel("Requests per second", metrics.rate, "reqps", math.ulp(0.0), math.inf),
        Panel("Hosts that answer their metrics", metrics.up, "none", 1.0, math.inf),
    ]


def dashboard(runbook: Runbook, metrics: MetricNames) -> dict[str, object]:
    """Return the dashboard in Grafana's JSON model; thresholds are the edges of what is normal."""
    found = []
    for number, panel in enumerate(panels(runbook, metrics), 1):
        steps: list[dict[str, object]] = [{"color": "green", "value": None}]
        if math.isfinite(panel.high):
            steps.append({"color": "red", "value": panel.high})
        else:
            steps = [{"color": "red", "value": None}, {"color": "green", "value": panel.low}]
        found.append(
            {
                "id": number,
                "title": panel.title,
                "type": "timeseries",
                "gridPos": {
                    "h": 8,
                    "w": 12,
                    "x": 12 * ((number - 1) % 2),
                    "y": 8 * ((number - 1) // 2),
                },
                "targets": [{"refId": "A", "expr": panel.expression}],
                "fieldConfig": {
                    "defaults": {
                        "unit": panel.unit,
                        "thresholds": {"mode": "absolute", "steps": steps},
                    }
                },
            }
        )
    return {"title": runbook.title, "schemaVersion": 36, "refresh": "5s", "panels": found}


def rules(runbook: Runbook, metrics: MetricNames) -> str:
    """Return Prometheus' alert rules in YAML: one for each row and column of the matrix but the
    normal one, and one for metrics that do not come.
    """
    import yaml

    found: list[dict[str, object]] = []
    for row in runbook.matrix[1:]:
        for name, expression, band in (
            ("ErrorRate", f"({metrics.error_rate})", row.error_rate),
            ("ResponseTime", f"({metrics.quantile(row)})", row.p95),
        ):
            upper = f" < {band.high:g}" if math.isfinite(band.high) else ""
            # A comparison filters: what it lets through is compared again.
            found.append(
                {
                    "alert": f"{name}{''.join(word.title() for word in row.condition.split())}",
                    "expr": f"{expression} >= {band.low:g}{upper}",
                    "for": _FOR,
                    "labels": {"severity": row.condition.lower()},
                    "annotations": {"summary": f"{row.decision} (line {row.line} of the runbook)"},
                }
            )
    found.append(
        {
            "alert": "MetricsMissing",
            "expr": f'{metrics.up} == 0 or absent(up{{job="{metrics.job}"}})',
            "for": _FOR,
            "labels": {"severity": "alert"},
            "annotations": {"summary": "the health of the system can no longer be seen"},
        }
    )
    groups = {"groups": [{"name": "rollback", "rules": found}]}
    return yaml.safe_dump(groups, sort_keys=False, allow_unicode=True, width=1000)


def configuration(targets: list[str], job: str) -> str:
    """Return Prometheus' configuration for `targets` ("host:port"), looked at once a second."""
    import yaml

    settings = {
        "global": {"scrape_interval": "1s", "evaluation_interval": "1s"},
        "scrape_configs": [{"job_name": job, "static_configs": [{"targets": targets}]}],
    }
    return yaml.safe_dump(settings, sort_keys=False)
