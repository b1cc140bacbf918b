"""What breaks the release. A fault is a context manager that heals, with an attested symptom."""

from __future__ import annotations

from typing import Protocol

from drill.stage import Stage


class Fault(Protocol):
    """One latent defect. `name` is kebab case. `symptom` says what an observer must see."""

    name: str
    symptom: str

    def inject(self, stage: Stage) -> str:
        """Switch the defect on and return a sentence that says how."""
        ...

    def attest(self, stage: Stage) -> tuple[bool, str]:
        """Look for the symptom, independently of traffic and detector: (seen, evidence)."""
        ...

    def heal(self, stage: Stage) -> None:
        """Switch the defect off. Must work after a rollback and when called twice."""
        ...
