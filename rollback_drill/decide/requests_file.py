"""Reads requests from a CSV file, in the dialects that logs and spreadsheets write.

A heading names the columns, in any order and beside others: `time`, `status`, `latency`, and
`planned` where an answer was refused on purpose, in maintenance; or words that are usual for them
(`timestamp`, `code`, `duration_ms` …). Without a heading the columns stand in that order.

- time: when the request began; ISO 8601 (UTC, unless it names a zone), as access logs write it, or
  a number since 1970 in seconds, or in milli-, micro- or nanoseconds, which is seen from its size.
- status: of HTTP; 0 or "-" where no answer came.
- latency: seconds, unless its heading ends in another unit, such as `latency_ms`.
"""

from __future__ import annotations

import csv
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from rollback_drill.ground.errors import UsageError
from rollback_drill.ground.lines import read_lines
from rollback_drill.traffic.observation import Observation, Outcome

_NAMES = {
    "time": r"@?time(stamp)?|ts|date(time)?|when|at|time_local|time_iso8601|started?(_at)?|begin",
    "status": r"(http_?)?(status|code|response)(_?code)?",
    "latency": r"latency|duration|elapsed|took|(response|request)_?time|time_?taken",
    "planned": r"planned|maintenance|on_?purpose",
}
_NEEDED = ("time", "status", "latency")
_UNITS = {
    "s": 1.0,
    "sec": 1.0,
    "secs": 1.0,
    "second": 1.0,
    "seconds": 1.0,
    "ms": 1e-3,
    "msec": 1e-3,
    "millis": 1e-3,
    "milliseconds": 1e-3,
    "us": 1e-6,
    "µs": 1e-6,
    "usec": 1e-6,
    "micros": 1e-6,
    "microseconds": 1e-6,
    "ns": 1e-9,
    "nanos": 1e-9,
    "nanoseconds": 1e-9,
}
_EPOCHS = ((1e17, 1e-9), (1e14, 1e-6), (1e11, 1e-3))  # from what size on in which unit
_LOG_TIME = "%d/%b/%Y:%H:%M:%S %z"
_DELIMITERS = ",;\t|"
_LONGEST_S = 86_400.0
_LATEST = 1e11  # Unix seconds
_LONGEST_LINE = 1 << 20
_EXAMPLE = "write a line such as 2026-03-01T10:00:00Z,200,0.031"
# Of a service that is taken for healthy; nobody who waits longer has seconds in mind.
_PLAUSIBLE_S = 10.0


@dataclass(frozen=True, slots=True)
class _Columns:
    """Where what stands in a line; `unit_s`: of a latency; `named`: whether the heading says so."""

    places: dict[str, int]
    unit_s: float = 1.0
    named: bool = False


@dataclass(frozen=True, slots=True)
class RecordedRequest:
    """One request of a record; `planned`: refused because of maintenance."""

    seen: Observation
    planned: bool = False

    @property
    def at(self) -> float:
        """When its outcome was known, in Unix seconds."""
        return self.seen.done


def read_requests(path: Path) -> list[RecordedRequest]:
    """Return the requests of the file, in its order.

    Raises UsageError that names the line, for a file or a line that holds none.
    """
    delimiter, lines = "", iter(lines_of(path))
    columns: _Columns | None = None
    found: list[RecordedRequest] = []
    for number, text in lines:
        if not text.strip() or text.startswith("#"):
            continue
        delimiter = delimiter or max(_DELIMITERS, key=text.count)
        row = _cells(text, delimiter, path, number)
        if columns is None:
            columns = _heading(row, path, number)
            if columns:
                continue
            columns = _Columns({"time": 0, "status": 1, "latency": 2, "planned": 3})
        try:
            # Where a comma separates no columns, it stands for the decimal point.
            cells = row if delimiter == "," else [cell.replace(",", ".") for cell in row]
            found.append(_request(cells, columns))
        except (ValueError, IndexError, OverflowError) as error:
            why = f" ({error})" if isinstance(error, _Wrong) else ""
            raise UsageError(
                f"time, status, latency in line {number} of {path}", f"{text[:80]!r}{why}", _EXAMPLE
            ) from error
    _check_unit(found, columns, path)
    return found


class _Wrong(ValueError):
    """A cell that cannot be what its column says."""


def lines_of(path: Path) -> Iterator[tuple[int, str]]:
    """Yield (number, line) of the file. Raises UsageError for what is no text."""
    expected, advice = f"text in UTF-8 in {path}", "set FROM=FILE, to CSV"
    before = 0
    for _, text in read_lines(path, expected, advice, longest=_LONGEST_LINE):
        if "\0" in text:
            raise UsageError(expected, f"bytes that are no text in line {before + 1}", advice)
        for line in text.split("\r"):  # the only end that some old programs write
            before += 1
            yield before, line


def _cells(text: str, delimiter: str, path: Path, number: int) -> list[str]:
    try:
        return [cell.strip() for cell in next(csv.reader([text], delimiter=delimiter))]
    except csv.Error as error:
        raise UsageError(f"columns in line {number} of {path}", str(error), _EXAMPLE) from error


def _heading(row: Sequence[str], path: Path, number: int) -> _Columns | None:
    """Return the columns that the heading names, None when the line is a request already."""
    try:
        _when(row[0])
        return None
    except ValueError:
        pass
    if any(re.fullmatch(r"[\d.,+-]+", cell) for cell in row):
        return None  # numbers: a line that is damaged, not a heading
    places: dict[str, int] = {}
    unit_s, named = 1.0, False
    for place, cell in enumerate(row):
        word, unit = _split_unit(cell.lower().strip().replace(" ", "_"))
        for name, pattern in _NAMES.items():
            if name not in places and re.fullmatch(pattern, word):
                places[name] = place
                if name == "latency" and unit:
                    unit_s, named = _UNITS[unit], True
                break
    missing = [name for name in _NEEDED if name not in places]
    if missing:
        raise UsageError(
            f"columns time, status, latency in the heading (line {number}) of {path}",
            f"no {' and no '.join(missing)} in {', '.join(row)[:80]!r}",
            "name the columns so, or leave the heading out",
        )
    return _Columns(places, unit_s, named)


def _split_unit(word: str) -> tuple[str, str]:
    """Return ("latency", "ms") for "latency_ms", "latency(ms)" and "latency[ms]"."""
    match = re.fullmatch(r"(.+?)[_.\-]*[\[(_.\-]([a-zµ]+)[\])]?", word)
    if match and match[2] in _UNITS:
        return match[1], match[2]
    return word, ""


def _request(row: Sequence[str], columns: _Columns) -> RecordedRequest:
    places = columns.places
    at = _when(row[places["time"]])
    status = _status(row[places["status"]])
    latency_s = float(row[places["latency"]]) * columns.unit_s
    if not 0.0 <= latency_s <= _LONGEST_S:
        raise _Wrong("a latency is at least 0 and at most a day")
    place = places.get("planned")
    planned = place is not None and place < len(row) and _truth(row[place])
    # The time is the request's begin, as access logs of most servers have it.
    seen = Observation(at, at, at + latency_s, "", "request", status, _outcome(status), "")
    return RecordedRequest(seen, planned)


def _when(text: str) -> float:
    """Return Unix seconds. Raises ValueError for what is no time."""
    try:
        number = float(text)
    except ValueError:
        text = text.strip("[]")
        try:
            moment = datetime.fromisoformat(text)
        except ValueError:
            moment = datetime.strptime(text, _LOG_TIME)
        return _moment((moment if moment.tzinfo else moment.replace(tzinfo=UTC)).timestamp())
    return _moment(number * next((unit for least, unit in _EPOCHS if number >= least), 1.0))


def _moment(at: float) -> float:
    if not 0.0 <= at <= _LATEST:
        raise _Wrong("a time is a finite number of seconds since 1970")
    return at


def _status(text: str) -> int:
    if text in ("", "-"):
        return 0
    number = float(text)
    if number != int(number) or not (number == 0 or 100 <= number <= 999):
        raise _Wrong("a status is 0 or has three digits")
    return int(number)


def _truth(text: str) -> bool:
    if text.lower() in ("", "0", "false", "no", "n", "-"):
        return False
    if text.lower() in ("1", "true", "yes", "y"):
        return True
    raise _Wrong("planned is 0 or 1")


def _outcome(status: int) -> Outcome:
    if status == 0:
        return Outcome.TIMEOUT
    if 200 <= status < 400:
        return Outcome.OK
    if status in (502, 503, 504):
        return Outcome.UNAVAILABLE
    return Outcome.REJECTED if status < 500 else Outcome.SERVER_ERROR


def _check_unit(found: list[RecordedRequest], columns: _Columns | None, path: Path) -> None:
    """Milliseconds that pass for seconds would make every service a sick one."""
    if not found or columns is None or columns.named:
        return
    latencies = sorted(line.seen.latency_s for line in found)
    middle = latencies[len(latencies) // 2]
    if middle >= _PLAUSIBLE_S:
        raise UsageError(
            f"latencies in seconds in {path}",
            f"{middle:g} as their median",
            "call the column latency_ms if they are milliseconds, latency_s if they are seconds",
        )
