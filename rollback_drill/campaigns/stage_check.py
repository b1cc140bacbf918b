"""Says what a staging environment lacks, before anything is touched: it only looks."""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from rollback_drill.breaks.fault import FAULT_LIMIT_S
from rollback_drill.campaigns.needed import (
    all_blocks,
    not_looked_for,
    programs_needed,
    variables_needed,
)
from rollback_drill.conduct.admission import usual_rate
from rollback_drill.conduct.steady import requests_needed
from rollback_drill.conduct.triggers_read import read_triggers
from rollback_drill.ground.errors import DrillError
from rollback_drill.ground.verdict import Verdict
from rollback_drill.perform.check import bind, own_script
from rollback_drill.perform.performer import StepFailed, choose
from rollback_drill.runbook.model import Runbook
from rollback_drill.stage.answers import NoAnswer
from rollback_drill.stage.asking import send
from rollback_drill.stage.host import Host
from rollback_drill.stage.host import look as ask
from rollback_drill.stage.model import ABILITIES, lacks_of
from rollback_drill.stage.staging import StagingStage
from rollback_drill.watch.probe import front_health, health

_LIMIT_S = 30.0
_TOOLS = ("bash", "setsid", "pkill", "git", "curl")
_BLANK = re.compile(r"^\[.*\]$|^_+$|^$")


@dataclass(frozen=True, slots=True)
class StageAnswer:
    """One thing that was asked. `verdict`: passed, failed (a drill would not work) or unknown
    (a drill would leave something unknown). `advice`: what to do, "" where nothing is missing.
    """

    what: str
    verdict: Verdict
    found: str
    advice: str = ""


def ask_all(stage: StagingStage, runbook: Runbook) -> Iterator[StageAnswer]:
    """Ask for everything that a drill needs; nothing is changed. Never raises a DrillError."""
    yield from _variables(stage)
    for host in stage.hosts:
        yield from _guarded(f"{host.name} answers", _host(stage, host, runbook))
    yield from _service(stage)
    if stage.database:
        yield from _guarded("the database answers", _database(stage))
    yield from _runbook(stage, runbook)
    yield from _fault(stage)
    yield from _limits(stage)
    yield _time(stage, runbook)


def _judge(what: str, ok: bool, found: str, advice: str) -> StageAnswer:
    found = " ".join(found.split())  # a command's words may go over several lines
    return StageAnswer(what, Verdict.PASSED if ok else Verdict.FAILED, found, "" if ok else advice)


def _guarded(what: str, looks: Iterator[StageAnswer]) -> Iterator[StageAnswer]:
    try:
        yield from looks
    except DrillError as error:
        yield StageAnswer(what, Verdict.FAILED, error.found, error.advice)


def _variables(stage: StagingStage) -> Iterator[StageAnswer]:
    missing = stage.staging.missing
    yield _judge(
        "variables that the file names are set",
        not missing,
        ", ".join(missing) or "all",
        "export them in the shell that starts the drill",
    )


def _host(stage: StagingStage, host: Host, runbook: Runbook) -> Iterator[StageAnswer]:
    done = ask(host, "uname -sr", limit_s=_LIMIT_S)
    yield _judge(
        f"{host.name} answers",
        done.ok,
        done.stdout.strip() or done.stderr.strip(),
        "see its address and its folder in the file",
    )
    if not done.ok:
        return
    script = f"for tool in {' '.join(_TOOLS)}; do command -v $tool >/dev/null || echo $tool; done"
    lacking = ask(host, script, limit_s=_LIMIT_S).stdout.split()
    yield _judge(
        f"{host.name} has {', '.join(_TOOLS)}",
        not lacking,
        f"lacks {', '.join(lacking)}" if lacking else "all",
        "install them there",
    )
    if stage.staging.marker:
        marked = ask(host, f"test -e {stage.staging.marker}", limit_s=_LIMIT_S).ok
        yield _judge(
            f"{host.name} has the marker",
            marked,
            stage.staging.marker if marked else f"there is no {stage.staging.marker}",
            "make that file on machines that may be broken, and on no other",
        )
    for tag in (stage.failing, stage.stable):
        found = ask(
            host, f"git ls-remote --exit-code --tags origin refs/tags/{tag}", limit_s=_LIMIT_S
        )
        yield _judge(
            f"{tag} exists in the origin of {host.name}",
            found.ok,
            found.stdout.split()[0][:12] if found.ok else found.stderr.strip()[-200:] or "none",
            "push the tag, or correct [stage] failing and stable",
        )
    runs = ask(host, "git describe --tags --always", limit_s=_LIMIT_S).stdout.strip()
    deploys = "deploy" in stage.staging.scripts
    yield _judge(
        f"{stage.failing} is what {host.name} runs",
        deploys or runs == stage.failing,
        (runs or "nothing") + (f"; the drill deploys {stage.failing}" if deploys else ""),
        "deploy it, or give [scripts] deploy",
    )
    yield from _environment(stage, host, runbook)
    if stage.process:
        pid = stage.process.pids().get(host.name)
        yield _judge(
            f"[scripts] pid finds the service on {host.name}",
            pid is not None,
            str(pid or "it printed no process id"),
            "the script must print the main process's id and nothing else",
        )
    if "LOG_FILE" in stage.environment:
        read = ask(host, 'test -r "$LOG_FILE" && echo "$LOG_FILE"', limit_s=_LIMIT_S)
        yield _judge(
            f"the log on {host.name} can be read",
            read.ok,
            read.stdout.strip() or f"{stage.environment['LOG_FILE']} cannot be read",
            "correct LOG_FILE, or let the user read it",
        )


def _environment(stage: StagingStage, host: Host, runbook: Runbook) -> Iterator[StageAnswer]:
    needed = variables_needed(runbook, stage.alternatives)
    script = "\n".join(f'[ -n "${{{name}+x}}" ] || echo {name}' for name in sorted(needed))
    lacking = ask(host, script or "true", limit_s=_LIMIT_S).stdout.split()
    yield _judge(
        f"{host.name} knows the runbook's variables",
        not lacking,
        f"lacks {', '.join(lacking)}" if lacking else f"{len(needed)} of them",
        "name them in [environment], or in [environment_from] when they are secret",
    )
    programs = sorted(programs_needed(runbook, stage.alternatives))
    script = f'for program in {shlex.join(programs)}; do command -v "$program" >/dev/null || '
    script += 'echo "$program"; done'
    lacking = ask(host, script, limit_s=_LIMIT_S).stdout.split() if programs else []
    yield _judge(
        f"{host.name} has the runbook's programs",
        not lacking,
        f"lacks {', '.join(lacking)}" if lacking else f"{len(programs)} of them",
        "install them there, or name their folder in PATH of [environment]",
    )
    left_out = not_looked_for(runbook, stage.alternatives)
    if left_out:
        why = "; ".join(f"the one in line {line} {told}" for line, told in sorted(left_out.items()))
        many = f"{len(left_out)} block{'s' if len(left_out) > 1 else ''}"
        yield StageAnswer(
            f"{host.name} has the programs of {many} beside these",
            Verdict.UNKNOWN,
            f"not asked: {why}",
        )


def _service(stage: StagingStage) -> Iterator[StageAnswer]:
    path = stage.interface.health
    for name, url in {**stage.direct_urls, "the front door": stage.base_url}.items():
        status = front_health(stage) if url == stage.base_url else health(url, path)
        yield _judge(
            f"{name} answers {path}",
            status == 200,
            f"{status or 'nothing'} at {url}",
            "start the service, correct the URL or [service] health",
        )
    reads = [one for one in stage.interface.operations if one.reads]
    for operation in reads:
        try:
            answer = send(stage, stage.base_url, operation)
        except NoAnswer as error:
            yield StageAnswer(operation.name, Verdict.FAILED, str(error), "see the service")
            continue
        good = answer.ok and operation.contains in answer.text
        yield _judge(
            f"operation {operation.name} answers as the file says",
            good,
            f"{answer.status}, {len(answer.content)} bytes",
            "correct its path, what it contains, or the key",
        )


def _database(stage: StagingStage) -> Iterator[StageAnswer]:
    used, limit = stage.database.connections()
    yield StageAnswer(
        "the database answers", Verdict.PASSED, f"{used} of {limit} sessions are used"
    )


def _runbook(stage: StagingStage, runbook: Runbook) -> Iterator[StageAnswer]:
    # Procedures share steps: each block is told once.
    for block in {block.line: block for block in all_blocks(runbook)}.values():
        try:
            choose(block, stage.alternatives)
        except StepFailed as error:
            yield StageAnswer(
                f"line {block.line} of the runbook",
                Verdict.FAILED,
                error.reason.removeprefix(f"line {block.line}: "),
                "name in [stage] alternatives what applies here",
            )
    lacks = lacks_of(stage)
    unsupported = sorted(
        {
            f"“{box.text}” needs {ABILITIES[bound.needs]}"
            for procedure in runbook.procedures
            for step in procedure.steps
            for box in step.checkboxes
            if (bound := bind(box.text))
            and bound.needs in lacks
            and not own_script(box.text, stage.checks)
        }
    )
    triggers = read_triggers(runbook, lacks=lacks)
    for where, why in triggers.uncovered.items():
        yield StageAnswer(where, Verdict.FAILED, why, "word it like one that is watched")
    for where, why in triggers.unseen.items():
        yield StageAnswer(
            where, Verdict.UNKNOWN, why, "give the stage that, or leave the trigger out"
        )
    for one in unsupported:
        yield StageAnswer(
            "checkbox", Verdict.UNKNOWN, one, "give the stage that, or a script in [checks]"
        )
    blanks = [
        f"{contact.role}, {column}"
        for contact in runbook.contacts
        for column, name in (("primary", contact.primary), ("secondary", contact.secondary))
        if _BLANK.match(name)
    ]
    if runbook.contacts:
        yield _judge(
            "the runbook names whom to call",
            not blanks,
            "; ".join(blanks) or "everybody",
            "fill the blanks of its emergency contacts",
        )


def _fault(stage: StagingStage) -> Iterator[StageAnswer]:
    breaks = [*stage.faults, *(["[scripts] defects"] if stage.defects else [])]
    yield _judge(
        "something can be broken",
        bool(breaks),
        ", ".join(breaks) or "nothing",
        "describe a fault in [[faults]], or give [scripts] defects",
    )


def _limits(stage: StagingStage) -> Iterator[StageAnswer]:
    limits, limited = stage.staging.limits, stage.staging.limited
    told = f"{limits.rate:g} requests/s, {limits.requests} requests, {limits.minutes:g} minutes"
    yield _judge(
        "limits",
        limited,
        told if limited else f"none in the file, so the usual ones: {told}",
        "say in [limits] what a drill may do here at most",
    )
    if limits.stop_file:
        there = Path(limits.stop_file).exists()
        yield _judge(
            "the stop file is not there",
            not there,
            f"{limits.stop_file} {'is there' if there else 'does not exist'}",
            "remove it when all is well",
        )


def _time(stage: StagingStage, runbook: Runbook) -> StageAnswer:
    """Say how long a drill takes at the allowed rate: what it has to see takes so many requests,
    before the fault and behind the rollback; what else it takes is bounded by the budgets.
    """
    limits, rate = stage.staging.limits, usual_rate(stage)
    least_s = 2 * requests_needed(runbook) / rate
    budgets = [
        sum(step.budget.high_s for step in one.steps)
        for one in runbook.procedures
        if one is not runbook.redeployment
    ]
    noticed_s = max((one.watch_s for one in stage.staging.faults), default=FAULT_LIMIT_S)
    most_s = least_s + noticed_s + max(budgets, default=0.0)
    told = (
        f"at {rate:g} requests/s of clients and {limits.rate - rate:g} of the suite's own, at "
        f"least {least_s:.0f} s to prove errors and latency before the fault and behind the "
        f"rollback; "
        f"{most_s / 60:.0f} minutes if nothing is noticed before the last second and each step "
        "uses its budget up"
    )
    fits = least_s <= limits.minutes * 60 and least_s * limits.rate <= limits.requests
    advice = "raise [limits] rate, minutes or requests: a drill would be ended before it could tell"
    return _judge("a drill fits into the limits", fits, told, advice)
