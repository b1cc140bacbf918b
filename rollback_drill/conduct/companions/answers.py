"""Has clients' answers held anew as a rollback goes on, and tells what came of it at the end."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

from rollback_drill.conduct.companion import Companion
from rollback_drill.conduct.rig import Rig
from rollback_drill.ground.errors import UsageError
from rollback_drill.perform.performer import Part
from rollback_drill.runbook.model import Procedure
from rollback_drill.traffic import orders
from rollback_drill.traffic.contradictions import Compared, Contradiction, read_contradictions
from rollback_drill.watch.answers.told import AnswersCompared, AnswersContradict

_LATEST = 20  # times
_MOST = 100  # kinds of contradictions, of the latest times


class Answers(Companion):
    """See `traffic.contradictions`. With each step of a procedure the service may become another;
    what clients know of it since the last but one is held against to the end.
    """

    place = 65

    def __init__(self, rig: Rig) -> None:
        super().__init__(rig)
        self._last = 0  # step

    def before_procedure(self, procedure: Procedure) -> None:
        """See Companion.before_procedure."""
        numbers = [step.number for step in procedure.steps]
        self._last = numbers[-1] if len(numbers) > 1 else 0

    def after_part(self, part: Part) -> None:
        """See Companion.after_part."""
        if part.number != self._last:
            orders.begin_anew(self.rig.traffic.directory)

    def closed(self) -> None:
        """See Companion.closed."""
        rig = self.rig
        owed, alone = rig.stage.subject.table is not None, not rig.stage.stays
        try:
            found = list(read_contradictions(rig.traffic.directory))
        except UsageError as error:
            why = f"{error.expected}: {error.found}"
            rig.timeline.record(AnswersCompared(0.0, {}, owed, alone, why))
            return
        for since, counts in _counts(found).items():
            rig.timeline.record(AnswersCompared(since, counts, owed, alone))
        for one in _grouped(found):
            rig.timeline.record(one)


def _counts(found: Iterable[object]) -> dict[float, dict[str, int]]:
    """Return the last count of each of the latest times; of none, that nothing was compared."""
    times = {one.since: one.counts for one in found if isinstance(one, Compared) and one.counts}
    latest = sorted(times.items())[-_LATEST:]
    return dict(latest) or {0.0: {}}


def _grouped(found: Iterable[object]) -> list[AnswersContradict]:
    kinds: dict[tuple[str, str, float], AnswersContradict] = {}
    for one in found:
        if not isinstance(one, Contradiction):
            continue
        key = one.rule, one.operation, one.since
        first = kinds.get(key)
        kinds[key] = (
            AnswersContradict(
                rule=one.rule.value,
                operation=one.operation,
                asked=one.asked,
                expected=one.expected,
                seen=one.seen,
                times=1,
                since=one.since,
                first_at=one.sent,
                last_at=one.sent,
                shared=one.shared,
            )
            if first is None
            else replace(
                first,
                times=first.times + 1,
                first_at=min(first.first_at, one.sent),
                last_at=max(first.last_at, one.sent),
                shared=first.shared and one.shared,
            )
        )
    return sorted(kinds.values(), key=lambda one: one.since)[-_MOST:]
