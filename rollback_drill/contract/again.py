"""Asks what a document lets be asked once more, and compares with a healthy day."""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace

from rollback_drill.contract.told import ContractAsked, ContractBroken
from rollback_drill.ground import clock
from rollback_drill.stage.answers import NoAnswer
from rollback_drill.stage.conformance import OpenApi
from rollback_drill.stage.contracting import (
    ACCEPTED,
    SERVER_ERROR,
    UNNAMED,
    ask_case,
    contract_client,
    document_of,
    record_contract,
    violations_of,
)
from rollback_drill.stage.http import Answer, Client
from rollback_drill.stage.model import Stage
from rollback_drill.subject.documents import Contract, ContractCase, Documented

OTHER_STATUS = "Another status than before"
NO_ANSWER = "No answer"
_SOON_S = 3.0
_FRONT = "front door"
_AT_FRONT = 60  # cases; hosts are asked all
_PASSED_ON = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE"})
"""Methods that a front door hands on whatever it is; others it may answer itself."""
_EXPECTED = {
    SERVER_ERROR: "a status below 500, as before",
    ACCEPTED: "to be refused, as before",
    UNNAMED: "to be refused, as before",
}
_UNNAMED_METHODS = "methods that are not documented"
_TOLD = 20  # kinds of violations


@dataclass(slots=True)
class _Asked:
    """What one place was asked."""

    host: str
    answers: list[tuple[ContractCase, Answer]] = field(default_factory=list)
    silent: list[tuple[ContractCase, str]] = field(default_factory=list)
    missed: list[ContractCase] = field(default_factory=list)


def hold_alone(
    stage: Stage, subject: Documented, seed: int, why: str
) -> tuple[ContractAsked, tuple[ContractBroken, ...]]:
    """Hold the service against its document alone, since nobody knows how it kept to it before;
    nothing is written.
    """
    began, limits = clock.monotonic(), stage.limits
    pause_s = 1 / limits.rate if limits else 0.0
    found = record_contract(subject, stage, stage.base_url, seed, writes=False, pause_s=pause_s)
    if found.why:
        return ContractAsked(found.why, owed=False), ()
    broken = [
        ContractBroken(
            operation=one.operation,
            check=one.check,
            asked="one of the generated requests",
            expected="as documented",
            seen=str(one.status),
            times=1,
            hosts=(_FRONT,),
            compared=False,
        )
        for one in found.violations
    ]
    told = ContractAsked(
        why="",
        owed=False,
        cases=len(found.cases),
        unasked=(*found.unasked, why),
        untyped=OpenApi(found.document).untyped(),
        places={_FRONT: len(found.cases)},
        operations=_counted(found.cases),
        took_s=round(clock.monotonic() - began, 3),
    )
    return told, tuple(broken)


class Holding:
    """Asks all cases of a `contract` of every host of `stage`, and some of its front door.

    `stays`: another release stays deployed than that of the contract; what it documents otherwise
    is left out. `owed`: whether it had to be asked.
    """

    def __init__(
        self, stage: Stage, contract: Contract, seed: int, *, stays: bool, owed: bool
    ) -> None:
        self._stage = stage
        self._contract = contract
        self._document = OpenApi(contract.document)
        self._owed = owed
        self._stays = stays
        self._seed = seed
        self._ours = stage.limits is None and not stage.stays  # else nothing is written
        self._rows: dict[str, str] = {}
        self._known = frozenset(contract.violations)

    def run(self) -> tuple[ContractAsked, tuple[ContractBroken, ...]]:
        """Ask, and return what came of it. Raises NoAnswer."""
        began, contract = clock.monotonic(), self._contract
        otherwise = self._otherwise() if self._stays else ()
        every = self._to_ask(otherwise)
        limits = self._stage.limits  # what is not allowed is not wanted for
        cases = every[: max(1, int(limits.rate * _SOON_S))] if limits else every
        subject = self._stage.subject
        if self._ours and isinstance(subject, Documented):
            self._rows = dict(subject.own_rows(self._stage, self._stage.base_url))
        asked = self._ask(cases, clock.monotonic())
        broken = [one for each in asked for one in self._broken(each)]
        heard = [case for each in asked for case, _ in each.answers]
        operations = _counted(heard)
        wanted = _named(cases) - _named(heard)
        told = ContractAsked(
            why="",
            owed=self._owed,
            recorded=True,
            cases=len(every),
            missed=sum(len(each.missed) for each in asked) + len(every) - len(cases),
            unheard=tuple(sorted(wanted)),
            before=tuple(map(str, contract.violations)),
            unasked=contract.unasked,
            otherwise=otherwise,
            untyped=self._document.untyped(),
            places={each.host: len(each.answers) for each in asked},
            operations=operations,
            took_s=round(clock.monotonic() - began, 3),
        )
        return told, _grouped(broken)

    def _otherwise(self) -> tuple[str, ...]:
        """Return the operations that the service documents otherwise than the contract does."""
        subject, stage = self._stage.subject, self._stage
        assert isinstance(subject, Documented)
        with contract_client(stage.base_url) as client:
            try:
                now = OpenApi(document_of(client, stage, subject))
            except ValueError:  # then it says nothing of any
                return self._document.operations
        return tuple(
            one for one in self._document.operations if now.piece(one) != self._document.piece(one)
        )

    def _to_ask(self, otherwise: Sequence[str]) -> list[ContractCase]:
        """Return the cases, those that change something, if they are accepted, first. What was
        accepted then would leave rows, and shows nothing.
        """
        found = [
            one
            for one in self._contract.cases
            if one.operation not in otherwise
            and (one.safe or (self._ours and one.status is not None and one.status >= 300))
        ]
        random.Random(self._seed).shuffle(found)  # noqa: S311 - nothing secret
        # Some of each operation, when there is no time for all.
        turn = Counter[str]()
        places = {}
        for one in found:
            places[one] = (turn[one.operation], one.safe)
            turn[one.operation] += 1
        return sorted(found, key=places.__getitem__)

    def _ask(self, cases: Sequence[ContractCase], began: float) -> list[_Asked]:
        stage, limits = self._stage, self._stage.limits
        few = [one for one in cases if one.method in _PASSED_ON]
        few = few[:: max(1, len(few) // _AT_FRONT)]
        ways = [(name, url, list(cases)) for name, url in stage.direct_urls.items()]
        ways.append((_FRONT, stage.base_url, few))
        if limits is None:
            return clock.at_once(lambda way: self._ask_one(*way, until=began + _SOON_S), ways)
        # Only where it was recorded: others may stand in between.
        pause_s = 1 / limits.rate
        return [self._ask_one(_FRONT, stage.base_url, cases, until=None, pause_s=pause_s)]

    def _ask_one(
        self,
        host: str,
        url: str,
        cases: Sequence[ContractCase],
        *,
        until: float | None,
        pause_s: float = 0.0,
    ) -> _Asked:
        found = _Asked(host)
        with contract_client(url) as client:
            for case in cases:
                if until is not None and clock.monotonic() > until:
                    found.missed.append(case)
                    continue
                if pause_s:
                    clock.sleep(pause_s)
                try:
                    answer = self._answer(client, case)
                except NoAnswer as error:
                    found.silent.append((case, error.reason))
                    continue
                if answer is None:
                    found.missed.append(case)
                else:
                    found.answers.append((case, answer))
        return found

    def _answer(self, client: Client, case: ContractCase) -> Answer | None:
        try:
            return ask_case(client, self._stage, case, self._rows)
        except NoAnswer:  # a connection that was kept too long is no violation
            return ask_case(client, self._stage, case, self._rows)

    def _broken(self, asked: _Asked) -> Iterator[ContractBroken]:
        for case, why in asked.silent:
            yield _one(case, NO_ANSWER, f"{case.status}, as before", why, asked.host)
        for case, answer in asked.answers:
            told = False
            for violation, seen in violations_of(self._document, case, answer):
                same = violation.check in _EXPECTED and case.status == answer.status
                if same or (violation.check not in _EXPECTED and violation in self._known):
                    continue
                told = True
                expected = _EXPECTED.get(violation.check, "as documented, as before")
                yield _one(case, violation.check, expected, f"{answer.status}: {seen}", asked.host)
            if not told and self._differs(case, answer):
                seen = f"{answer.status}: {answer.text[:80]}"
                yield _one(case, OTHER_STATUS, f"{case.status}", seen, asked.host)

    def _differs(self, case: ContractCase, answer: Answer) -> bool:
        """Whether a status must be what it was, and is not. Where rows come and go that nobody
        accounts for, only what is refused must be.
        """
        steady = case.wrong or not self._stage.stays
        return steady and case.status != answer.status


def _named(cases: Sequence[ContractCase]) -> set[str]:
    """Return the operations that were asked by a method of theirs."""
    return {one.operation for one in cases if not one.unnamed}


def _counted(cases: Sequence[ContractCase]) -> dict[str, int]:
    names = (_UNNAMED_METHODS if one.unnamed else one.operation for one in cases)
    return dict(sorted(Counter(names).items()))


def _one(case: ContractCase, check: str, expected: str, seen: str, host: str) -> ContractBroken:
    return ContractBroken(case.operation, check, str(case), expected, seen, 1, (host,), True)


def _grouped(broken: Sequence[ContractBroken]) -> tuple[ContractBroken, ...]:
    """Return one of each kind, those that came most often first."""
    kinds: dict[tuple[str, str], list[ContractBroken]] = {}
    for one in broken:
        kinds.setdefault((one.operation, one.check), []).append(one)
    found = [
        replace(
            every[0],
            times=len(every),
            hosts=tuple(dict.fromkeys(host for one in every for host in one.hosts)),
        )
        for every in kinds.values()
    ]
    return tuple(sorted(found, key=lambda one: -one.times)[:_TOLD])
