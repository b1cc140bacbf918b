"""One client alone meets the errors: it sends what cannot be accepted."""

from __future__ import annotations

from collections import Counter

from rollback_drill.decide.attribution import HEALTHY, Alibi, alibi
from rollback_drill.decide.evidence import Evidence
from rollback_drill.decide.statistics import lower_bound, share_sentence, upper_bound

_ONE_CLIENT = 0.9  # of all failures, proven, are one client's
_LEAST_CLIENTS = 3  # of fewer, "only one of them" says nothing


@alibi("one client is the cause")
def one_client(evidence: Evidence) -> Alibi:
    """Nearly all failures are those of one client, and the others are served well."""
    failures: Counter[str] = Counter()
    requests: Counter[str] = Counter()
    for one in evidence.since_change():
        requests[one.client] += 1
        failures[one.client] += one.failed
    total = failures.total()
    if not total:
        return Alibi(False, "no client met a failure")
    client, most = failures.most_common(1)[0]
    told = (
        f"{len(+failures)} of {len(requests)} clients met failures; {client} met {most} of {total}"
    )
    others = requests.total() - requests[client]
    alone = (
        len(requests) >= _LEAST_CLIENTS
        and lower_bound(most, total) > _ONE_CLIENT
        and upper_bound(total - most, others) < HEALTHY
    )
    if not alone:
        return Alibi(False, told)
    rest = share_sentence(total - most, others, "of all others failed")
    return Alibi(True, f"{told}; {rest}: the errors come from one client")
