"""What only customers notice: answers with status 200 that are wrong. They report it."""

from __future__ import annotations

import contextlib
import functools

from rollback_drill.breaks.fault import LatentDefect, Scene, fault
from rollback_drill.ground import clock
from rollback_drill.record.watched import Watched
from rollback_drill.stage import http
from rollback_drill.stage.answers import NoAnswer
from rollback_drill.subject.hostaway.pages import page

_CUSTOMERS = 3
_EVERY_S = 0.3
_GRACE_S = 20.0


class CustomerReports(LatentDefect):
    """Latent defect that no error rate shows. Customers look at their lists, and who finds them
    wrong reports it once to the drill's webhook.
    """

    def __init__(
        self, name: str, symptom: str, trigger: str, defect: str, report: tuple[str, str]
    ) -> None:
        self.name = name
        self.symptom = symptom
        self.trigger = trigger
        self._defect = defect
        self._report = report
        self._over = clock.signal()
        self._customers: list[Watched] = []

    def inject(self, scene: Scene) -> str:
        """See Fault.inject."""
        scene.stage.defects.set_defects({self._defect: True})
        for number in range(1, _CUSTOMERS + 1):
            name = f"customer-{number}"
            customer = Watched(name, self._watch, scene, name, over=self._over)
            self._customers.append(customer.start())
        return f"{self.symptom}; {_CUSTOMERS} customers look at their lists and report"

    def attest(self, scene: Scene) -> tuple[bool, str]:
        """Look at one list, as a customer does."""
        with http.Client(scene.stage.base_url) as client:
            return self._wrong(client, scene)

    def heal(self, scene: Scene) -> None:
        """See Fault.heal."""
        self._over.set()
        for customer in self._customers:
            customer.end(_GRACE_S)
        super().heal(scene)

    def _watch(self, scene: Scene, customer: str) -> None:
        kind, level = self._report
        with http.Client(scene.stage.base_url) as client:
            while not self._over.wait(_EVERY_S):
                with contextlib.suppress(NoAnswer):
                    wrong, what = self._wrong(client, scene)
                    if wrong:
                        word = "severity" if kind == "incidents" else "priority"
                        report = {word: level, "title": what, "reporter": customer}
                        where = f"{scene.webhook}/{kind}"
                        key = {"Authorization": f"Bearer {scene.token}"}
                        http.request("POST", where, headers=key, json=report).checked()
                        return

    def _wrong(self, client: http.Client, scene: Scene) -> tuple[bool, str]:
        key = {"X-API-Key": scene.stage.api_key}
        answer = client.get("/api/listings", params={"limit": 5}, headers=key)
        if not answer.ok:
            return False, f"a list was answered {answer.status}"
        body = answer.json()
        if page(body, "listings") is None:
            return False, "a list was answered with something else"
        rows = body.get("items", body.get("listings", []))
        total = body.get("meta", {}).get("total")
        if not rows:
            return True, "our list of listings is empty"
        return total == 0, f"a list of {len(rows)} rows says that there are {total} in all"


fault(
    functools.partial(
        CustomerReports,
        "p0-incident",
        "lists are answered 200 and empty",
        r"P0 incident",
        "empty_pages",
        ("incidents", "P0"),
    )
)
fault(
    functools.partial(
        CustomerReports,
        "customer-tickets",
        "lists say that there is nothing in all",
        r"customer (escalations|tickets)",
        "wrong_totals",
        ("tickets", "high"),
    )
)
