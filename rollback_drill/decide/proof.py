"""What is said of the evidence that a rollback for a share of the requests rests on."""

from __future__ import annotations

from rollback_drill.decide.detector import ALPHA, Stream
from rollback_drill.decide.statistics import percent_text


def proof_sentence(stream: Stream) -> str:
    """Say how far the e-detector of `stream` is, and what that means."""
    proof, timing = stream.proof, stream.proof.timing
    blocks = "1 block" if proof.blocks == 1 else f"{proof.blocks:,} blocks"
    seen = f"{blocks} of {timing.block_s:g} s, {timing.gap_s:g} s between them"
    acceptable = f"an acceptable share of “{stream.name}” (at most {percent_text(stream.p0)})"
    if proof.reached:
        return (
            f"proven although requests may depend on each other for up to {timing.gap_s:g} s: by "
            f"{seen}, the e-detector reached {proof.needed:.2g}, which {acceptable} does in at "
            f"most {ALPHA * 100:g} % of drills"
        )
    return (
        f"not proven yet for requests that depend on each other: after {seen}, the e-detector is "
        f"at {proof.value:.2g} of {proof.needed:.2g}"
    )


def more_sentence(more: int | None) -> str:
    """Say how many more requests it takes, None when nobody knows."""
    if more is None:
        return "nobody can tell how many more requests it takes"
    return f"it takes {more:,} more requests at the least"
