"""How to speak with the service, and what clients ask of one that a file describes.

A service that the suite does not know is described by its operations. `{reference}` in a path or
body stands for the write's own unique reference, `{number}` for a random number.
"""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from pathlib import Path

from rollback_drill.ground import files

DESCRIBED = "other"
"""Name of the service that is known by the operations of its interface alone."""
FILE = "interface.json"
"""Name of the file in the generators' folder that tells them of an interface of its own."""


@dataclass(frozen=True, slots=True)
class Operation:
    """One kind of request. `weight`: its share of all requests, beside the others' weights.

    A good answer is a 2xx that holds the text `contains`. A read with `follow`, the name of an
    answer's header, goes on at the URL that stands there: so clients walk pages. A write (a method
    other than GET) with `read_back` can be read again at that path, and is expected to be there.
    """

    name: str
    method: str
    path: str
    body: str = ""
    weight: int = 1
    contains: str = ""
    follow: str = ""
    read_back: str = ""

    @property
    def reads(self) -> bool:
        """Whether it changes nothing."""
        return self.method == "GET"

    def filled(self, text: str, reference: str, number: int = 0) -> str:
        """Return `text` with its placeholders filled in."""
        return text.replace("{reference}", reference).replace("{number}", str(number))


@dataclass(frozen=True, slots=True)
class Interface:
    """How to speak with the service. Without `operations` clients know what to ask.

    `document`: the path of its OpenAPI document, "" where it has none.

    `log_error`: a pattern for lines of its log that tell an error, beside those that say so by
    themselves; "" for a JSON log with levels. `log_harmless`: a pattern for lines of any log that
    are no error, whatever they say. `quiet_log`: a release may log less than another.

    `printed`: files on each host that hold what the service prints, and what its supervisor says;
    `journal`: a script that prints as much since $SINCE (Unix seconds), where no file holds it.
    """

    key_header: str = "X-API-Key"
    health: str = "/health"
    metrics: str = "/metrics"
    document: str = ""
    log_error: str = ""
    log_harmless: str = ""
    quiet_log: bool = False
    printed: tuple[str, ...] = ()
    journal: str = ""
    operations: tuple[Operation, ...] = ()

    def leave(self, directory: Path) -> None:
        """Tell the generators in `directory` of it, unless it is the one that they know."""
        if self.operations:
            files.write(directory / FILE, json.dumps(asdict(self)))


def read_interface(directory: Path) -> Interface:
    """Return the interface that was left in `directory`; of a service that is known none is."""
    try:
        found = json.loads((directory / FILE).read_text(encoding="utf-8"))
    except FileNotFoundError:
        return Interface()
    operations = tuple(Operation(**one) for one in found.pop("operations"))
    found["printed"] = tuple(found.get("printed", ()))
    return Interface(operations=operations, **found)
