"""What a drill is going to run, and where: every command of the runbook, before any of them."""

from __future__ import annotations

from collections.abc import Iterator

from rollback_drill.conduct.triggers_read import read_triggers
from rollback_drill.decide.told import sentences
from rollback_drill.perform.performer import StepFailed, choose
from rollback_drill.runbook.model import CodeBlock, Procedure, Runbook
from rollback_drill.stage.model import Stage, lacks_of
from rollback_drill.stage.staging import StagingStage


def plan(runbook: Runbook, stage: Stage, procedure: str = "auto", fault: str = "") -> Iterator[str]:
    """Yield the lines of the plan. `procedure`: a number, or "auto" for all that may be chosen.

    On a staging environment its file's own scripts that deploy, and that make `fault`, are told
    too.
    """
    hosts = [host.name for host in stage.hosts] or ["host-1"]
    yield f"Stage {stage.name} ({stage.reason}); {stage.failing} is rolled back to {stage.stable}."
    yield f"Clients ask {stage.base_url or 'a front door of its own'}."
    if isinstance(stage, StagingStage):
        yield from _own_scripts(stage, fault, hosts)
    for left in runbook.unread:
        yield f"Not read, line {left.line}: {left.text}: {left.why}"
    for value in runbook.assumed:
        yield f"Assumed, line {value.line}: {value.what}: {value.value} ({value.source})"
    yield from sentences(read_triggers(runbook, lacks=lacks_of(stage)))
    yield f"{runbook.pre_rollback.title}:"
    yield from _blocks(runbook.pre_rollback.blocks, stage, hosts)
    again = runbook.redeployment
    chosen = [
        one
        for one in runbook.procedures
        if (one is not again if procedure == "auto" else str(one.number) == procedure)
    ]
    if procedure == "auto":
        yield f"Then one of {len(chosen)} procedures, as the diagnosis says."
    for one in chosen:
        yield from _procedure(one, stage, hosts)
    for checklist in runbook.post_rollback:
        if checklist.blocks:
            yield f"After the rollback: {checklist.title}"
            yield from _blocks(checklist.blocks, stage, hosts)


def _own_scripts(stage: StagingStage, fault: str, hosts: list[str]) -> Iterator[str]:
    """Yield the scripts of the stage's file that a drill runs around the runbook's commands."""
    scripts = stage.staging.scripts
    told = [(f"Deploying {stage.failing}, TAG={stage.failing}", scripts.get("deploy", ""))]
    for one in stage.staging.faults:
        if one.name == fault:
            told += [(f"Fault {fault}", one.inject), (f"Healing {fault}", one.heal)]
    if fault not in stage.faults:
        told.append((f"Fault {fault} and its healing, by $DEFECTS", scripts.get("defects", "")))
    for what, script in told:
        if script:
            yield f"{what}:"
            yield f"    on {', '.join(hosts)}, a script of {stage.staging.path}:"
            for line in script.strip().splitlines():
                yield f"      {line}"


def _procedure(procedure: Procedure, stage: Stage, hosts: list[str]) -> Iterator[str]:
    yield f"Procedure {procedure.number}: {procedure.title}"
    if procedure.prerequisite_blocks:
        yield "  Before any incident, as a routine:"
        yield from _blocks(procedure.prerequisite_blocks, stage, hosts)
    for step in procedure.steps:
        yield f"  Step {step.number}: {step.title} ({step.budget.text})"
        yield from _blocks(step.blocks, stage, hosts)


def _blocks(blocks: tuple[CodeBlock, ...], stage: Stage, hosts: list[str]) -> Iterator[str]:
    for block in blocks:
        where = ", ".join(hosts[:1] if block.once else hosts)
        only = f", only if the blocks before fail: {block.fallback}" if block.fallback else ""
        try:
            alternative = choose(block, stage.alternatives)
        except StepFailed as error:
            yield f"    on {where}, line {block.line}: NOT POSSIBLE: {error.reason}"
            continue
        label = f", using {alternative.label}" if alternative.label else ""
        yield f"    on {where}, line {alternative.line}{label}{only}:"
        for line in alternative.script.splitlines():
            yield f"      {line}"
