"""Keeps secrets out of everything that is written down."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

MASK = "[redacted]"
_SHORTEST = 4  # masking shorter values would blank ordinary text


class Redactor:
    """Replaces every known secret value in text; secrets may be added at any time."""

    def __init__(self, secrets: Iterable[str] = ()) -> None:
        self._secrets: list[str] = []
        self.add(*secrets)

    def add(self, *secrets: str) -> None:
        """Remember `secrets`; longer ones are replaced first, so that none leaves a tail."""
        known = {*self._secrets, *(s for s in secrets if len(s) >= _SHORTEST)}
        self._secrets = sorted(known, key=len, reverse=True)

    def text(self, text: str) -> str:
        """Return `text` without any known secret."""
        for secret in self._secrets:
            text = text.replace(secret, MASK)
        return text

    def value(self, value: Any) -> Any:
        """Return a JSON-like `value` with every string in it redacted."""
        if isinstance(value, str):
            return self.text(value)
        if isinstance(value, dict):
            return {self.text(str(k)): self.value(v) for k, v in value.items()}
        if isinstance(value, list | tuple):
            return [self.value(v) for v in value]
        return value
