"""What a service's OpenAPI document lets be asked, and what was answered on a healthy day.

Few documents are exact. So what is judged is what differs from that day, not from the document.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Protocol, runtime_checkable

from rollback_drill.record.told import Name, Status
from rollback_drill.subject.subject import Place

REFERENCE, ROW = "{reference}", "{row}"
"""What stands in a case for the reference of a row that it would make, and for the id of a row
that is the suite's own.
"""
SAFE_METHODS = frozenset({"GET", "HEAD", "OPTIONS", "TRACE", "QUERY"})


@dataclass(frozen=True, slots=True)
class ContractCase:
    """One request that was generated from a document. `told`: what is special about it, in words;
    `path` with its query; `row`: by what `ROW` is filled where no row is the suite's own.

    `wrong`: the document wants it refused; `unnamed`: it has a method that the document does not
    name there. `status`: how it was answered on the healthy day, 0 where it was not asked.
    """

    operation: Name
    method: Name
    path: Name
    told: str
    body: str = ""
    content_type: str = ""
    row: str = ""
    wrong: bool = False
    unnamed: bool = False
    status: Status | None = None

    @property
    def safe(self) -> bool:
        """Whether its method changes nothing."""
        return self.method in SAFE_METHODS

    def __str__(self) -> str:
        shown = self.path.replace(ROW, self.row)
        return f"{self.method} {shown[:120]} ({self.told})"


@dataclass(frozen=True, slots=True, order=True)
class Violation:
    """How answers of an `operation` with a `status` break their document. `check`: in words."""

    operation: Name
    check: Name
    status: Status

    def __str__(self) -> str:
        return f"{self.operation}: {self.check} ({self.status})"


@dataclass(frozen=True, slots=True)
class Contract:
    """A `document`, as JSON, the cases of it, and how its service broke it on a healthy day.

    `unasked`: what could not be asked, in words; `why`: why there is no document, "" where one is.
    """

    document: str = ""
    cases: tuple[ContractCase, ...] = ()
    violations: tuple[Violation, ...] = ()
    unasked: tuple[str, ...] = ()
    why: str = ""


@runtime_checkable
class Documented(Protocol):
    """A subject with a `document` at a path, "" where this one has none; then `no_document` says
    so in words.
    """

    document: str
    no_document: str

    def well_formed(self) -> Mapping[str, Mapping[str, object]]:
        """Return by operation ("POST /notes") a body that it accepts, with `REFERENCE` as the
        reference of what it makes.
        """
        ...

    def own_rows(self, place: Place, url: str) -> Mapping[str, str]:
        """Make what nobody misses at `url`; return ids by the path, as documented, that shows them.
        Raises NoAnswer.
        """
        ...
