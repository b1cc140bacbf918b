"""What customers suffered, and whether service was restored: computed from the record alone.

The sentences of `headlines` are the first lines of every output of a drill.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

from rollback_drill.breaks.told import FaultHealed, FaultInjected
from rollback_drill.conduct.told import DrillStarted, Restored, Resumed
from rollback_drill.data.balance import balance
from rollback_drill.decide.told import Decided
from rollback_drill.ground.words import capitalized, duration
from rollback_drill.perform.maintenance import spans
from rollback_drill.record.book import Book
from rollback_drill.record.told import PhaseName, PhaseStarted
from rollback_drill.traffic.observation import Outcome
from rollback_drill.traffic.told import TrafficSecond
from rollback_drill.watch.told import LeftAs, answers, flaws

_LAST_S = 3  # seconds of traffic that say how it was when the drill stopped


@dataclass(frozen=True, slots=True)
class Impact:
    """What became of customers' requests from the fault until they were served well again, or
    until the drill stopped, whichever came first.

    Where no fault was made (`fault`), it is all of the drill.

    `hit_s`: that time in seconds. `requests` were due in it, of which `failed` failed and `planned`
    were turned away while the runbook had the service in maintenance, for `planned_s` seconds of
    it. `clients_hit` of `clients` had a failed request or were turned away, None where the record
    does not say. `restored`: whether they were served well again for good; None: not observed.
    `not_restored`: what was seen instead, as sentences' parts. `customers_s`: clients times the
    share of requests that failed or were turned away, added up over its seconds; of these
    `planned_customers_s` in planned maintenance. None where nobody knows how many clients there
    were.
    """

    hit_s: float
    requests: int
    failed: int
    planned: int
    planned_s: float
    clients: int | None
    clients_hit: int | None
    restored: bool | None
    restored_after_s: float | None
    not_restored: tuple[str, ...] = ()
    fault: bool = True
    customers_s: float | None = None
    planned_customers_s: float | None = None

    @property
    def share(self) -> float | None:
        """The share (0–1) of the requests that failed; None of no request."""
        return self.failed / self.requests if self.requests else None

    def to_json(self) -> dict[str, object]:
        """Return what verdict.json says of it."""
        return {
            "hit_s": round(self.hit_s, 3),
            "requests": self.requests,
            "failed": self.failed,
            "share_failed": None if self.share is None else round(self.share, 4),
            "planned": self.planned,
            "planned_s": round(self.planned_s, 3),
            "clients": self.clients,
            "clients_hit": self.clients_hit,
        }

    def told(self) -> str:
        """Return what became of the requests, as part of a sentence."""
        if self.share is None:
            return "no request was observed"
        text = f"{self.failed:,} of {self.requests:,} requests failed ({self.share:.1%})"
        if self.clients_hit is not None:
            text += f", {self.clients_hit} of {self.clients} clients were hit"
        if self.planned:
            text += (
                f"; beside these, {self.planned:,} were turned away in planned maintenance of "
                f"{duration(self.planned_s)}"
            )
        return text

    def suffered(self) -> str:
        """Return what customers suffered, as a sentence without its full stop."""
        if not self.fault:
            if self.failed + self.planned:
                return f"no fault was made, and yet {self.told()}"
            return f"no fault was made, and none of {self.requests:,} requests failed"
        until = "they were served well again" if self.restored else "the drill stopped"
        span = f"for {duration(self.hit_s)}, from the fault until {until}"
        if self.requests and not self.failed and not self.planned:
            return f"no request of customers failed {span} ({self.requests:,} requests)"
        return f"customers were hit {span}: {self.told()}"

    def restoration(self) -> str:
        """Return whether service was restored, as a sentence without its full stop; "" where it had
        not to be, and nothing was wrong with it in the end.
        """
        if not self.fault:
            told = ", ".join(self.not_restored)
            return f"service was NOT left well: {told}" if told else ""
        if self.restored is None:
            return "whether service was restored is unknown: nobody saw how it was left"
        if self.restored:
            return f"service was restored {self.restored_after_s:.1f} s after the decision"
        return "service was NOT restored: " + ", ".join(self.not_restored)


def impact(book: Book) -> Impact | None:
    """Return what customers suffered; None of a record of which that cannot be said: nobody asked
    for anything, and nobody looked.
    """
    seconds = book.every(TrafficSecond)
    back, left = book.last(Restored), book.last(LeftAs)
    onset = _onset(book)
    if onset is None:
        return _without_fault(seconds, left) if seconds or left else None
    restored: bool | None = None
    if left is not None or back is not None:
        restored = back is not None and not flaws(left)
    stopped = _stopped(book, seconds, onset)
    until = stopped
    decided = book.at(Decided)
    if restored and back is not None and decided is not None:
        until = decided + back.after_s
    planned_spans = [(begin, min(end, until)) for begin, end in book.ask(spans) if begin < until]
    sent = failed = planned = unhappy = 0
    hurt = hurt_planned = 0.0
    for one in (one for one in seconds if int(onset) <= one.second < until):
        away = one.outcomes.get(Outcome.UNAVAILABLE, 0) if _within(one, planned_spans) else 0
        sent += one.sent
        planned += away
        failed += one.failed - away
        hurt += one.failed / one.sent if one.sent else 0.0
        hurt_planned += away / one.sent if one.sent else 0.0
        unhappy |= int(one.unhappy or "0", 16)
    clients = _clients(book, seconds)
    everybody = _everybody(book)
    return Impact(
        hit_s=max(0.0, until - onset),
        requests=sent,
        failed=failed,
        planned=planned,
        planned_s=sum(end - begin for begin, end in planned_spans),
        clients=clients,
        clients_hit=None if clients is None else unhappy.bit_count(),
        restored=restored,
        restored_after_s=back.after_s if back else None,
        not_restored=() if restored else tuple(_instead(back, left, seconds, stopped)),
        customers_s=everybody * hurt if everybody and sent else None,
        planned_customers_s=everybody * hurt_planned if everybody and sent else None,
    )


def _onset(book: Book) -> float | None:
    """Return since when a fault was made, also where that never came to its end; None: never."""
    made = book.at(FaultInjected)
    begun = PhaseStarted(PhaseName.FAULT)
    return made or next((e.at for e in book.timed(PhaseStarted) if e.what == begun), None)


def _without_fault(seconds: Sequence[TrafficSecond], left: LeftAs | None) -> Impact:
    return Impact(
        hit_s=0.0,
        requests=sum(one.sent for one in seconds),
        failed=sum(one.failed for one in seconds),
        planned=0,
        planned_s=0.0,
        clients=None,
        clients_hit=None,
        restored=None,
        restored_after_s=None,
        not_restored=tuple(flaws(left)),
        fault=False,
    )


def left_in(left: LeftAs | None) -> str:
    """Return in what state a stage that stays was left, as a whole sentence; "" for others."""
    if left is None or not left.stays:
        return ""
    told = [f"the front door {answers(left.front)}"]
    told += [f"{name} {answers(status)}" for name, status in left.reads.items()]
    for host, status in left.hosts.items():
        release = left.releases.get(host)
        out = "maintenance unknown"
        if host in left.maintenance:
            out = f"{'' if left.maintenance[host] else 'not '}in maintenance"
        told.append(f"{host} {answers(status)} (checked out: {release or 'unknown'}, {out})")
    return f"The environment was left so: {'; '.join(told)}."


def _instead(
    back: Restored | None,
    left: LeftAs | None,
    seconds: Sequence[TrafficSecond],
    stopped: float,
) -> list[str]:
    """Return what was seen of a service that was not restored, as parts of a sentence."""
    found = flaws(left)
    if left and not found and back is None:
        found.append(f"clients were not seen to be served well again (front door {left.front})")
    last = [one for one in seconds if stopped - _LAST_S <= one.second + 1 <= stopped + 1]
    sent, failed = sum(one.sent for one in last), sum(one.failed for one in last)
    if sent:
        found.append(f"{failed / sent:.0%} of requests were failing when the drill stopped")
    return found


def headlines(found: Impact | None) -> list[str]:
    """Return the first lines of every output, as whole sentences."""
    told = ["no fault was made, and no request was observed"]
    if found is not None:
        told = [found.suffered(), found.restoration()]
    return [f"{capitalized(line)}." for line in told if line]


def _stopped(book: Book, seconds: Sequence[TrafficSecond], onset: float) -> float:
    """Return until when customers met what the drill had made: the fault's end or the traffic's."""
    healed = next((e.at for e in book.timed(FaultHealed) if e.at >= onset), math.inf)
    ended = max((one.second + 1.0 for one in seconds), default=book.events[-1].at)
    return max(onset, min(healed, ended))


def _within(one: TrafficSecond, found: Sequence[tuple[float, float]]) -> bool:
    return any(begin < one.second + 1 and one.second < end for begin, end in found)


def _clients(book: Book, seconds: Sequence[TrafficSecond]) -> int | None:
    """Return how many clients there were, None where their failures cannot be told apart."""
    start = book.last(DrillStarted)
    resumed = book.last(Resumed)
    if start is None or not start.clients or resumed is not None:
        return None  # a drill that goes on numbers its clients anew
    return start.clients if all(one.unhappy for one in seconds) else None


def _everybody(book: Book) -> int:
    """Return how many clients there were at any time, 0 where that is not known."""
    start = book.last(DrillStarted)
    return start.clients if start else 0


def facts_after(book: Book) -> dict[str, str]:
    """Return the variables of the runbook's closing messages, from what was recorded so far.

    START and END in UTC, DURATION in minutes, ENDPOINTS that failed, DATA_LOSS. What nobody
    measured is left out, so that a message that needs it cannot be written: `set -u` sees to it.
    """
    facts: dict[str, str] = {}
    onset = book.at(FaultInjected)
    suffered = book.ask(impact)
    if onset is not None and suffered is not None and suffered.restored:
        facts["START"], facts["END"] = _clock(onset), _clock(onset + suffered.hit_s)
        facts["DURATION"] = f"{suffered.hit_s / 60:.1f}"
        if suffered.requests:
            facts["IMPACT"] = suffered.told()
    known = book.ask(balance)
    if known.fates is not None:
        facts["DATA_LOSS"] = known.told()
    return facts


def _clock(at: float) -> str:
    return datetime.fromtimestamp(at, UTC).strftime("%H:%M")
