"""What nearly every runbook asks at its end: is it up, do smoke tests pass, is no alert firing, was
no data lost, is there memory left?
"""

from __future__ import annotations

import re

import yaml

from rollback_drill.ground.finding import (
    Finding,
    failed,
    judged,
    lacking,
    passed,
    together,
    unknown,
)
from rollback_drill.ground.verdict import Verdict
from rollback_drill.perform.check import check
from rollback_drill.perform.checks import service
from rollback_drill.perform.moment import Moment
from rollback_drill.runbook.amounts import percent
from rollback_drill.runbook.monitoring import rules
from rollback_drill.runbook.statement import amount
from rollback_drill.watch import prometheus
from rollback_drill.watch.probe import front_health, hosts_health

_FEW = 10  # samples of memory: five seconds of them


@check(
    r"<SERVICE><IS> (?:up(?: and running)?|running|healthy|alive|responding)",
    r"<SERVICE> responds",
    r"all (?:hosts|instances)<IS> (?:up|healthy)",
    r"<SERVICE><IS> (?P<clients>available|reachable|online|back(?: up| online)?)",
    examples=["Service is up", "The application is running", "The API is reachable"],
)
def service_up(moment: Moment, match: re.Match[str]) -> Finding:
    """Every host's health endpoint answers 200 and has a process, where the stage can tell; where
    the item speaks of what clients see, so does the front door.
    """
    stage = moment.stage
    seen = hosts_health(stage)
    told = [f"{name} answers {got or 'nothing'}" for name, got in seen.items()]
    well = bool(seen) and set(seen.values()) == {200}
    expected = "200 from every host"
    if stage.process:
        missing = sorted({host.name for host in stage.hosts} - stage.process.pids().keys())
        told += [f"{name} has no process" for name in missing]
        well = well and not missing
    if match.groupdict().get("clients"):
        front = front_health(stage)
        told.append(f"the front door answers {front or 'nothing'}")
        well, expected = well and front == 200, f"{expected} and from the front door"
    return judged(well, ", ".join(told), expected)


@check(
    r"(?:all )?smoke tests? (?:pass(?:es|ed)?|succeed(?:s|ed)?|(?:is|are) (?:green|passing))",
    r"run smoke tests?",
    examples=["Smoke tests pass"],
)
def smoke_tests(moment: Moment, match: re.Match[str]) -> Finding:
    """The drill's own smoke test: health, reads and strangers refused, on every host, and where
    clients are let in a write that is kept. What the runbook's own commands find ends their step.
    """
    stage = moment.stage
    parts = [service_up(moment, match)]
    writes = stage.subject.writes and front_health(stage) == 200
    for ask, asked in (
        (service.api_requests_succeed, True),
        (service.authentication, bool(stage.api_key)),
        (service.database_queries, writes),
    ):
        if together(parts).verdict is Verdict.FAILED:
            break  # who does not answer is asked no more
        if asked:
            parts.append(ask(moment, match))
    found = together(parts)
    return Finding(found.verdict, f"the drill's own smoke test: {found.evidence}")


@check(
    r"no (?:active )?alerts?(?: are| is)? firing",
    r"no (?:active|firing|open) alerts?",
    r"(?:all )?alerts? (?:are |have )?cleared",
    examples=["No alerts firing", "No active alerts"],
)
def no_alerts(moment: Moment, match: re.Match[str]) -> Finding:
    """Prometheus has no alert that fires. Where it has no rules, those are asked that the runbook's
    thresholds make: none of their conditions holds.
    """
    url = moment.stage.prometheus_url
    if not url:
        return unknown("unsupported: no Prometheus watches this stage, so that no alert can fire")
    firing, known = prometheus.alerts(url)
    if known:
        told = f"{len(firing)} of {known} alerts fire" + "".join(f", {one}" for one in firing[:5])
        return judged(not firing, told, "none")
    if not prometheus.targets_up(url, moment.stage.subject.metrics.job):
        return failed("Prometheus sees no host of the service", "one that it watches")
    made = yaml.safe_load(rules(moment.runbook, moment.stage.subject.metrics))["groups"][0]["rules"]
    holds = [one["alert"] for one in made if prometheus.holds(url, one["expr"], moment.pace)]
    told = f"of {len(made)} alerts made of the runbook's thresholds {len(holds)} would fire"
    return judged(not holds, told + "".join(f", {one}" for one in holds), "none")


@check(
    r"no data(?: is| was| has been)? lost",
    r"no data loss(?: occurred)?",
    r"no (?:writes|data) (?:are|were|have been) lost",
    examples=["No data loss", "No data was lost"],
    proof=True,
)
def no_data_loss(moment: Moment, match: re.Match[str]) -> Finding:
    """Every write that the drill's clients were promised can be read back, as it was sent, and all
    rows that stood before are as they were.
    """
    known = moment.balance
    if known is None and moment.read_back is not None:
        known = moment.read_back()
    if known is None or known.fates is None:
        return unknown("unsupported: this stage has no database in which writes can be looked up")
    read = known.fates
    if known.losses or known.damage:
        return failed(f"lost: {known.told()}", "every row")
    if not read.acknowledged:
        return unknown(f"no writes were made that could be lost: {read.acknowledged} acknowledged")
    told = f"{read.preserved} of {read.acknowledged} acknowledged writes are there as sent"
    if read.lost or read.damaged:
        named = f" ({'; '.join(read.examples[:3])})" if read.examples else ""
        return failed(f"{told}; lost: {known.told()}{named}", "every one")
    if known.unknown:
        return unknown(f"{told}; {known.told()}")
    stood = "" if known.stood is None else f", and {known.stood:,} rows that stood are as they were"
    return passed(f"{told}{stood}; lost: {known.told()}")


@check(
    r"memory(?: usage| use| utili[sz]ation)?<IS><BELOW>(?P<limit><SHARE>)(?: of limit)?",
    examples=["Memory below 80%", "Memory usage is below 80% of the limit"],
    needs="process",
)
def memory_below(moment: Moment, match: re.Match[str]) -> Finding:
    """The most that the service had resident in the window, as a share of its host's limit."""
    share = percent(amount(match["limit"]))
    limits, told, well = moment.stage.process.memory_limits(), [], True
    window = [s.rss_bytes for at, s in list(moment.samples) if at >= moment.window_from]
    for host in moment.stage.hosts:
        if host.name not in limits:
            return unknown(f"{host.name} does not tell what its memory is limited to")
        sizes = [sample[host.name] for sample in window if host.name in sample]
        if len(sizes) < _FEW:
            return lacking(f"{host.name}: {len(sizes)} of {_FEW} samples of memory are there")
        used = max(sizes) / limits[host.name]
        well = well and used < share
        told.append(
            f"{host.name} used at most {used:.1%} of {limits[host.name] / 2**20:.0f} MB"
            f" in {len(sizes)} samples"
        )
    return judged(well, "; ".join(told), f"less than {match['limit']}")
