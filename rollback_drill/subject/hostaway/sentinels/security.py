"""Tries the lock: requests without a key must be refused, and no answer may show a secret."""

from __future__ import annotations

from rollback_drill.ground.verdict import Verdict
from rollback_drill.stage import http
from rollback_drill.stage.answers import NoAnswer
from rollback_drill.watch.sentinel import Look, StageSentinel, sentinel

_LIMIT_S = 3.0
_PATHS = ("/api/listings?limit=2", "/api/reservations?limit=2", "/api/listings/1")
_KEYS = {"without a key": {}, "with a wrong key": {"X-API-Key": "no-such-key"}}


@sentinel
class Security(StageSentinel):
    """Fails when data comes without a valid key, or a secret of the stage stands in an answer."""

    name = "security"
    needs = ("known",)
    every_s = 1.0

    def look(self) -> Look:
        """Try every host itself: the load balancer must not be what keeps strangers out."""
        refused, open_doors, silent = 0, [], []
        for host, url in self._stage.direct_urls.items():
            with http.Client(url, limit_s=_LIMIT_S) as client:
                for path in _PATHS:
                    for how, headers in _KEYS.items():
                        status = _status(client, path, headers)
                        if status == 401:
                            refused += 1
                        elif 200 <= status < 300:
                            open_doors.append(f"{host} answered {path} {how} with {status}")
                        else:
                            silent.append(f"{host} answered {path} {how} with {status}")
                for path in _PATHS[:2]:
                    shown = self._secret_in(client, path)
                    if shown:
                        open_doors.append(f"{host} shows a secret in {path}")
        if open_doors:
            return Look(Verdict.FAILED, "; ".join(open_doors))
        if silent:
            return Look(Verdict.UNKNOWN, "; ".join(silent))
        return Look(Verdict.PASSED, f"{refused} requests without a valid key were refused")

    def _secret_in(self, client: http.Client, path: str) -> bool:
        try:
            text = client.get(path, headers={"X-API-Key": self._stage.api_key}).text
        except NoAnswer:
            return False
        return any(secret in text for secret in self._stage.secrets)


def _status(client: http.Client, path: str, headers: dict[str, str]) -> int:
    try:
        return client.get(path, headers=headers).status
    except NoAnswer:
        return 0
