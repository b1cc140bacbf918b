"""Holds all sabotages, and clean drills beside: does the check that is to catch each turn red?

In bunches first: a sabotage whose check is red in one was caught. Each of the rest is held alone.
What came of it is kept, by the suite and the entry as they are, so that a run that was ended goes
on where it was.
"""

from __future__ import annotations

import contextlib
import hashlib
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import astuple, dataclass
from datetime import UTC, datetime
from fnmatch import fnmatchcase
from pathlib import Path

import rollback_drill
from rollback_drill.breaks.misrecording import misrecords
from rollback_drill.breaks.planting import rewrites
from rollback_drill.breaks.sabotage import Sabotage, all_sabotages, edited, written
from rollback_drill.campaigns.bunches import bunches, places
from rollback_drill.campaigns.matrix import Found, HeldSabotage, Matrix, keep_held, kept_outcomes
from rollback_drill.campaigns.performed import rewritten
from rollback_drill.campaigns.planted import HeldWith, Setting, hold_with
from rollback_drill.ground import files, home
from rollback_drill.ground.clock import now
from rollback_drill.ground.errors import DrillError, UsageError
from rollback_drill.ground.names import no_such
from rollback_drill.ground.verdict import Verdict
from rollback_drill.report.proof import PROOF_FILE
from rollback_drill.runbook.parse import parse
from rollback_drill.stage.model import Stage, StageOptions
from rollback_drill.stage.opening import open_stage
from rollback_drill.stage.release import texts_of
from rollback_drill.subject.subject import own

_SUITE = (home.ENGINE, home.LOAD, home.DEMO / "service")
_OWN_FOLDER = "sabotages"  # each of these is told by its own key
_KEPT = "outcomes.jsonl"
_RATES = (100.0, 60.0, 150.0)
_ALONE = "alone"
_SURE = (Found.CAUGHT, Found.ELSEWHERE, Found.SURVIVED)  # the rest is worth another drill
_DOCUMENT = "of_document"


@dataclass(frozen=True, slots=True)
class Campaign:
    """What is held. `only`: patterns of names, none for all; `clean`: how many clean drills, from
    `seed` on; `singly`: each sabotage alone.
    """

    runbook: Path
    folder: Path
    stage: str = "processes"
    only: tuple[str, ...] = ()
    seed: int = 1
    clean: int = 0
    singly: bool = False


def chosen(only: Sequence[str]) -> list[Sabotage]:
    """Return the sabotages whose names match a pattern of `only`, all for none. Raises UsageError
    for a pattern that none matches.
    """
    every = all_sabotages()
    for pattern in only:
        if not any(fnmatchcase(name, pattern) for name in every):
            raise no_such("a sabotage", pattern, every, "set ONLY to names, or patterns of them")
    return [
        one
        for name, one in every.items()
        if not only or any(fnmatchcase(name, pattern) for pattern in only)
    ]


def settings_of_clean(campaign: Campaign) -> list[Setting]:
    """Return how clean drills are held: each procedure, with other seeds, rates and hosts."""
    found = []
    most = 2 if campaign.stage == "containers" else 1
    procedures = [one.number for one in parse(campaign.runbook).procedures]
    for number in range(campaign.clean):
        procedure = procedures[number % len(procedures)]
        found.append(
            Setting(
                procedure,
                _fault(procedure),
                hosts=1 + number % most,
                seed=campaign.seed + number,
                rate=_RATES[number % len(_RATES)],
            )
        )
    return found


def hold_all(campaign: Campaign, tell: Callable[[str], None] = lambda _: None) -> Iterator[Matrix]:
    """Hold what is asked for and not kept; yield the matrix as far as it is known, after each
    drill. Raises UsageError before the first for a sabotage that finds nothing to break.
    """
    sabotages = chosen(campaign.only)
    suite = version_of(campaign.runbook)
    path = campaign.folder / _KEPT
    kept = kept_outcomes(path)
    known: dict[str, HeldSabotage] = {}
    clean: list[HeldSabotage] = []
    day = datetime.fromtimestamp(now(), UTC).date().isoformat()

    def matrix() -> Matrix:
        short = f"{rollback_drill.__version__} ({suite[:12]})"
        return Matrix(short, day, sabotages, dict(known), tuple(clean))

    def took(found: Sequence[HeldSabotage], into: Callable[[HeldSabotage], None]) -> None:
        keep_held(path, (one for one in found if one.fate in _SURE))
        for one in found:
            into(one)
            tell(f"  {one.fate}, {one.how}: {one.name}{_told(one)}")

    def learn(one: HeldSabotage) -> None:
        known[one.name] = one

    for one in sabotages:
        _check(one, campaign.runbook)
        before = kept.get(_key(suite, one))
        if before and (not campaign.singly or before.how == _ALONE):
            known[one.name] = before
    with contextlib.closing(_Stages(campaign.stage)) as stages:
        for setting in settings_of_clean(campaign):
            name = f"clean drill {astuple(setting)}"
            before = kept.get(_key(suite, setting))
            if before:
                clean.append(before)
                continue
            tell(name)
            held = _hold(stages, (), campaign, setting)
            took([_clean(name, _key(suite, setting), held)], clean.append)
            yield matrix()
        here = []
        for one in sabotages:
            if one.name in known:
                continue
            if one.hosts > 1 and campaign.stage == "processes":
                why = f"it needs {one.hosts} hosts"
                learn(HeldSabotage(_key(suite, one), one.name, Found.NOT_HERE, (), why, _ALONE))
            else:
                here.append(one)
        yield matrix()
        most = 1 if campaign.singly else None
        for bunch in _bunches(here, campaign.runbook, most):
            done = len(known)
            tell(f"{done} of {len(sabotages)}: {len(bunch)} in Procedure {bunch[0].procedure}")
            held = _hold(stages, bunch, campaign, _setting(bunch[0], campaign.seed))
            how = _ALONE if len(bunch) == 1 else f"in a bunch of {len(bunch)}"
            found = [_outcome(one, _key(suite, one), held, how) for one in bunch]
            if all(one.fate == Found.CAUGHT for one in found):
                files.remove(_folder(bunch, campaign, Setting()))  # nobody has to look into it
            if len(bunch) > 1:
                found = [one for one in found if one.fate == Found.CAUGHT]
            took(found, learn)
            yield matrix()
        for one in here:
            if one.name in known:
                continue
            tell(f"{len(known)} of {len(sabotages)}: {one.name} alone")
            held = _hold(stages, (one,), campaign, _setting(one, campaign.seed))
            took([_outcome(one, _key(suite, one), held, _ALONE)], learn)
            yield matrix()


def version_of(runbook: Path) -> str:
    """Return a digest of the suite, the service and the runbook, the sabotages left out."""
    seen = hashlib.sha256(runbook.read_bytes())
    for folder in _SUITE:
        for path in sorted(folder.rglob("*")):
            parts = path.relative_to(folder.parent).parts
            if path == PROOF_FILE:
                continue  # it is made of what is held here
            if path.is_file() and not {"__pycache__", _OWN_FOLDER} & set(parts):
                held = hashlib.sha256(path.read_bytes()).hexdigest()
                seen.update(f"{Path(*parts)}\0{held}\n".encode())
    return seen.hexdigest()


class _Stages:
    """The stage that is kept up, for one number of hosts at a time."""

    def __init__(self, name: str) -> None:
        self._name = name
        self._hosts = 0
        self._up = contextlib.ExitStack()
        self._stage: Stage | None = None

    def with_hosts(self, hosts: int) -> Stage:
        """Return the stage with so many hosts, up."""
        if self._stage is None or hosts != self._hosts:
            self.close()
            stage = open_stage(self._name, StageOptions(hosts=hosts), lambda _: None)
            self._stage, self._hosts = self._up.enter_context(stage), hosts
        return self._stage

    def close(self) -> None:
        """Remove the stage; the next drill has a new one."""
        self._stage = None
        self._up.close()


def _hold(
    stages: _Stages, sabotages: Sequence[Sabotage], campaign: Campaign, setting: Setting
) -> HeldWith | DrillError:
    folder = _folder(sabotages, campaign, setting)
    files.remove(folder)
    try:
        held = hold_with(
            stages.with_hosts(setting.hosts), sabotages, campaign.runbook, folder, setting
        )
    except DrillError as error:
        stages.close()  # nobody knows what is left on it
        return error
    if held.broke:
        stages.close()
    return held


def _folder(sabotages: Sequence[Sabotage], campaign: Campaign, setting: Setting) -> Path:
    """Return where the report of a drill is written."""
    names = "-".join(one.name for one in sabotages) or f"clean-{setting.seed}"
    return campaign.folder / "drills" / (names if len(sabotages) < 2 else _short(names))


def _outcome(one: Sabotage, key: str, held: HeldWith | DrillError, how: str) -> HeldSabotage:
    if isinstance(held, DrillError):
        return HeldSabotage(key, one.name, Found.UNPLANTED, (), str(held), how)
    if one.name in held.never_performed:
        words = "its commands were rewritten where this stage takes another alternative"
        return HeldSabotage(key, one.name, Found.UNPLANTED, tuple(held.red), words, how)
    seen = held.red.get(one.caught_by)
    failed = [name for name, (verdict, _) in held.red.items() if verdict is not Verdict.UNKNOWN]
    # What nobody asks for, or is not on record, is unknown: that it is said is all one can want.
    unknown_at_most = one.caught_by.startswith(_DOCUMENT) or misrecords(one)
    if seen and (one.caught_by in failed or unknown_at_most):
        return HeldSabotage(key, one.name, Found.CAUGHT, (one.caught_by,), seen[1][:300], how)
    if failed:
        words = held.red[failed[0]][1][:300]
        return HeldSabotage(key, one.name, Found.ELSEWHERE, tuple(failed), words, how)
    if held.planted.get(one.name, 0) < len(one.plants):
        words = f"{held.planted.get(one.name, 0)} of {len(one.plants)} plants were seen"
        return HeldSabotage(key, one.name, Found.UNPLANTED, tuple(held.red), words, how)
    if held.red:
        words = next(iter(held.red.values()))[1][:300]
        return HeldSabotage(key, one.name, Found.UNKNOWN, tuple(held.red), words, how)
    return HeldSabotage(key, one.name, Found.SURVIVED, (), "", how)


def _clean(name: str, key: str, held: HeldWith | DrillError) -> HeldSabotage:
    if isinstance(held, DrillError):
        return HeldSabotage(key, name, Found.UNKNOWN, (), str(held), _ALONE)
    if held.verdict is Verdict.PASSED:
        return HeldSabotage(key, name, Found.SURVIVED, (), "", _ALONE)
    words = next(iter(held.red.values()))[1][:300] if held.red else ""
    fate = Found.UNKNOWN if held.verdict is Verdict.UNKNOWN else Found.ELSEWHERE
    return HeldSabotage(key, name, fate, tuple(held.red), words, _ALONE)


def _told(one: HeldSabotage) -> str:
    return f": {', '.join(one.by)}" if one.fate not in (Found.CAUGHT, Found.SURVIVED) else ""


def _bunches(
    sabotages: Iterable[Sabotage], runbook: Path, most: int | None
) -> list[tuple[Sabotage, ...]]:
    document = parse(runbook)
    ranks = {one.number: places(document, one.number) for one in document.procedures}

    def place(one: Sabotage) -> object:
        where = "record" if misrecords(one) else ranks[one.procedure](one.caught_by)
        return _setting(one, 0), where

    def fit(some: list[Sabotage]) -> bool:
        try:
            _check_all(some, runbook)
            if any(rewrites(one) for one in some):
                rewritten(runbook, some)  # it must be one still
        except UsageError:
            return False
        return True

    if most:
        return bunches(sabotages, place, fit, most)
    return bunches(sabotages, place, fit)


def _check(one: Sabotage, runbook: Path) -> None:
    _check_all([one], runbook)


def _check_all(some: Sequence[Sabotage], runbook: Path) -> None:
    """Raise UsageError when one of `some` finds nothing to break, or another one broke it."""
    recipe = own()[1]
    for failing, tag in ((True, recipe.failing), (False, recipe.stable)):
        if any(one.edits(failing=failing) for one in some):
            edited(texts_of(recipe.layers, tag), some, failing=failing)
    written(runbook.read_text(encoding="utf-8"), some)


def _setting(one: Sabotage, seed: int) -> Setting:
    return Setting(one.procedure, one.fault or _fault(one.procedure), one.hosts, seed)


def _fault(procedure: int) -> str:
    """Return a fault that `procedure` cures."""
    by_flag = 3  # the code stays
    return own()[1].curable if procedure == by_flag else Setting().fault


def _key(suite: str, one: Sabotage | Setting) -> str:
    return _short(f"{suite}{one!r}")


def _short(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()[:16]
