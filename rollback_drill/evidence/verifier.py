"""Verifies the signed evidence of a drill, by itself: `python verifier.py FOLDER signer.pub`.

FOLDER holds evidence.json and its files; signer.pub comes from the signer, by another way. It says
whether the signature and all digests hold, for one whole drill, and `causes` gives its verdict. For
what UNRULED names one has the signer's word. Exit: 0 verified, 1 not, 2 used wrongly, 3 unknown.
"""

from __future__ import annotations

import base64
import hashlib
import json
import sys
from collections import Counter, defaultdict
from collections.abc import Callable, Iterator
from itertools import pairwise
from pathlib import Path
from typing import Any

F, U, GOOD, BAD = "failed", "unknown", ("passed", "attested"), ("failed", "uncovered")
RANK, LATE_SHARE, NEVER = ("passed", U, F), 0.01, float("inf")
TYPE, SHORT = "application/vnd.in-toto+json", "not long enough to say"
TYPES = ("https://in-toto.io/Statement/v1", "urn:rollback-drill:evidence:v1")
FILES = ["index.html", "postmortem.html", "postmortem.md"]
FILES += ["runbook-as-performed.md", "timeline.jsonl", "verdict.json"]
DRILLED = ("stage", "hosts", "failing", "stable", "fault", "hazard", "pace", "rate", "seed")
UNRULED = """what changed beside what steps say; the database's structure; rows where a fault harms
data; clients' rows in a procedure, and clients in maintenance; metrics, memory, open files, gaps in
what was seen; commands; order and times; the status page; trends; this service's own checks"""
SAYS: dict[str, Callable[[dict[str, Any]], tuple[object, object]]] = {  # whether failed, unknown
    **dict.fromkeys(("Interrupted", "DrillBroke", "ObserverDied"), lambda _: (0, 1)),
    **dict.fromkeys(("RunbookRead", "GoldenUnlike"), lambda e: (e.get("lines", 1), 0)),
    "Checked": lambda e: (e["verdict"] in BAD, e["verdict"] == U),
    "BackupProven": lambda e: (e["verdict"] in BAD, e["verdict"] == U),
    "DrillEnded": lambda e: (e["left_behind"], 0),
    "TriggersRead": lambda e: (e["uncovered"], e["unseen"]),
    "FaultAttested": lambda e: (0, not e["seen"]),
    "HealAttested": lambda e: (not e["gone"], 0),
    "HazardOver": lambda e: (e["harm"], not e["undone"]),
    "Authorized": lambda e: (not e["allowed"], 0),
    "CommandEnded": lambda e: (0, not e["observed"]),
    "MessageHandled": lambda e: (e["outcome"] in ("refused", "failed"), 0),
    "LedgerRead": lambda e: (e["lost"], not e["acknowledged"]),
    "PathRead": lambda e: (e["lost"], 0),
    "WritesUnderFire": lambda e: (e["lost"], not e["written"] or e["lost"] is None),
    "RowsCounted": lambda e: (e["twice"] or e["refused"] or e["strangers"] * (not e["shared"]), 0),
    "RowsSeen": lambda e: (0, e["unread"]),
    "GoldenAsked": lambda e: (0, e["edges"] or (e["owed"] and (e["why"] or not e["compared"]))),
    "ContractBroken": lambda e: (e["compared"], 0),
    "ContractAsked": lambda e: (0, e["owed"] and (e["why"] or e["unheard"] or not e["operations"])),
    "AnswersCompared": lambda e: (0, e["owed"] and e["why"]),
}
LATEST = ("TriggersRead", "FaultAttested", "HealAttested", "HazardOver", "Authorized", "LedgerRead")
MUST = ("RunbookRead", "TriggersRead", "FaultAttested", "FaultHealed", "Decided", "LedgerRead")
CALM = ("before clients came", "before anything was broken")
LEVELS = ("ERROR", "SEVERE", "CRITICAL", "ALERT", "FATAL", "PANIC", "EMERGENCY")


def causes(record: list[dict[str, Any]]) -> Iterator[tuple[object, object, str]]:
    """Yield for each rule whether it fails the drill, or leaves it unknown, and what it says."""
    by: dict[str, list[Any]] = defaultdict(list)
    last: Any = {one["kind"]: one for one in record}
    unseen, harmed = {}, False
    for one in record:
        kind = one["kind"]
        by[kind].append(one)
        if kind in SAYS and (kind not in LATEST or one is last[kind]):
            yield *SAYS[kind](one), f"{kind} at {one['time']}"
        harmed = (harmed or kind in ("HazardArmed", "Resumed")) and kind != "HazardOver"
        yield kind == "AlternativeTaken" and not harmed, 0, "an alternative stood in"
        if kind == "NotSeen" and not one["lost"]:
            unseen[one["what"]] = one["at"] if one["why"] else NEVER
    yield 0, [kind for kind in MUST if kind not in last], "not on record: what no drill is without"
    made, decided, chosen = map(last.get, ("FaultInjected", "Decided", "ProcedureChosen"))
    steps, restored, left = by["StepEnded"], last.get("Restored"), last.get("LeftAs")
    rests = decided and not chosen and not decided["rollback"] and decided["ours"] is not False
    until = max([step["at"] for step in steps] + ([decided["at"]] if rests else []), default=0)
    yield 0, [what for what, at in unseen.items() if at < until], "what nobody could look at"
    for step in steps:
        own = [b for b in by["Checked"] if all(b[n] == step[n] for n in ("section", "number"))]
        told = step["verdict"] == U and all(box["verdict"] in GOOD for box in own)
        slow = step["took_s"] > step["budget_s"] and not told
        yield step["verdict"] == F or slow, told, f"{step['title']}: {step['reason'] or 'too slow'}"
    owed = Counter((*box,) for step in by["StepStarted"] for box in step["boxes"])
    owed.subtract((box["line"], box["item"]) for box in by["Checked"])
    whole = not (by["Interrupted"] or by["DrillBroke"])
    stopped = not whole or by["Resumed"] or any(step["verdict"] in BAD for step in steps)
    other = any(owed.values()) or len(by["StepStarted"]) != len(steps)
    yield 0, other and not stopped, "steps and boxes on record are not those that were owed"
    ran, asked = {one["line"] for one in by["CommandStarted"]}, by["DocumentAsked"]
    doubts = [not lines or ran & {*lines} for one in asked for lines in one["commands"]]
    late = sum(one["late"] for one in by["TrafficSecond"])
    sent = sum(sum(one["outcomes"].values()) for one in by["TrafficSecond"])
    yield 0, any(doubts) or late > LATE_SHARE * sent or not sent, "doubts, or late requests"
    if decided and made:
        auto, back = record[0]["procedure"] == "auto", decided["rollback"]
        fired = made["trigger"] in ("", *(one["trigger"] for one in by["TriggerFired"]))
        wants, short = made["calls_for"] == "rollback", decided["action"] == SHORT
        wrong = not fired or ((back or auto) and back != wants)
        bites = last.get("FaultAttested", {}).get("seen") and not short
        yield wrong and bites, wrong or (short and auto >= wants), f"decided: {decided['action']}"
        idle = auto and not (chosen or restored or back)
        yield idle and decided["ours"] is False, idle, "clients were not served well again"
        yield 0, whole and not chosen and (back or not auto), "no procedure was performed"
    own = [one for one in steps if chosen and one["section"] == f"Procedure {chosen['procedure']}"]
    if own:
        slow = sum(step["took_s"] for step in own) > chosen["estimate_high_s"]
        good = not any(step["verdict"] in BAD for step in own)
        missing = {*chosen["step_numbers"]} - {step["number"] for step in own}
        yield slow, good and whole and missing, "it took too long, or not each step was performed"
        final = any(step["section"] == "Final verification" for step in steps)
        yield good and final and not restored, good and not final, "not served, or not verified"
    if restored and left:
        answers = {left["front"], *left["reads"].values(), *left["hosts"].values()}
        out = any(left["maintenance"].values()) or answers - {*range(200, 300)}
        yield out, 0, "the service was not left restored"
    calm = [one["tables"] for one in by["RowsSeen"] if one["moment"] in CALM]
    steady = made and not made["damages"] and calm[:1] == calm[-1:]
    dropped = {name for one in by["ProcedureChosen"] for name in one["dropped"]}
    wanted: Any = {}
    for was, now in pairwise(by["RowsSeen"] if steady else ()):
        wanted = was["expected"] or wanted
        for name, rows in was["tables"].items() if not now["unread"] else ():
            for part in {x for x in rows if not {*dropped, *now["changing"]} & {name, name + x}}:
                ok = (rows[part], wanted.get(name, {}).get(part))
                yield now["tables"].get(name, {}).get(part) not in ok, 0, f"rows: {name}{part}"
    # What was found once the last procedure took effect: with its first step, with all but one.
    since = chosen["at"] if chosen else NEVER
    part = [one for one in by["StepStarted"] + steps if one["number"] and one["at"] >= since]
    ends = [one["at"] for one in part if one["kind"] == "StepEnded"] or [NEVER]
    begun = max([one["at"] for one in part if one["kind"] == "StepStarted"], default=NEVER)
    alone = all(one["alone"] for one in by["AnswersCompared"])
    for one in by["Leaked"]:
        yield one["at"] >= ends[0], 0, f"a secret stands in {one['where']}"
    for one in by["AnswersContradict"] if whole else ():
        bad = one["since"] >= ends[-2:][0] and (alone or not one["shared"])
        yield bad, 0, f"{one['asked']}: {one['seen']}, expected {one['expected']}"
    for one in by["LogLine"] if whole and ends[0] < NEVER else ():
        bad = one["at"] >= begun and one["level"] in LEVELS and one["source"] != "database"
        yield bad, 0, f"the service told {one['level']}"


def statement_in(raw: bytes, key: bytes) -> Any:
    """Return the statement of an envelope that is, byte by byte, what the owner of `key` wrote."""
    from cryptography.hazmat.primitives import serialization as pem
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

    public, told = pem.load_pem_public_key(key), json.loads(raw)
    assert isinstance(public, Ed25519PublicKey)
    body, mark = (base64.b64decode(one) for one in (told["payload"], told["signatures"][0]["sig"]))
    der = public.public_bytes(pem.Encoding.DER, pem.PublicFormat.SubjectPublicKeyInfo)
    text = (base64.b64encode(one).decode() for one in (body, mark))
    form = '{"payload":"%s","payloadType":"%s","signatures":[{"keyid":"%s","sig":"%s"}]}\n'
    if raw.decode() != form % (next(text), TYPE, hashlib.sha256(der).hexdigest(), next(text)):
        raise ValueError("evidence.json was altered, or signed with another key")
    public.verify(mark, b"DSSEv1 %d %s %d %s" % (len(TYPE), TYPE.encode(), len(body), body))
    return json.loads(body)


def examine(folder: Path, key: Path) -> tuple[int, str]:
    """Return the exit code and what to say. Raises whatever strange files lead to."""
    statement = statement_in((folder / "evidence.json").read_bytes(), key.read_bytes())
    names = {one["name"]: one["digest"]["sha256"] for one in statement["subject"]}
    if (statement["_type"], statement["predicateType"], sorted(names)) != (*TYPES, FILES):
        return 1, "it is a statement of another kind"
    files = {name: (folder / name).read_bytes() for name in FILES}
    for name, body in files.items():
        if hashlib.sha256(body).hexdigest() != names[name]:
            return 1, f"{name} is not the one that was signed"
    *lines, rest = files["timeline.jsonl"].split(b"\n")
    told, judged = statement["predicate"], json.loads(files["verdict.json"])
    start, *_, end = record = [json.loads(line) for line in lines]
    if rest or end.get("recorded") != Counter(one["kind"] for one in record[:-1]):
        return 3, "the timeline is torn or incomplete"
    boxes = [[one["item"], one["verdict"]] for one in record if one["kind"] == "Checked"]
    for one, other in (
        (told["drill"], {name: start[name] for name in DRILLED} | {"began": start["time"]}),
        ([names[FILES[3]]] * 2, [start["runbook_sha256"], judged["runbook"]["sha256"]]),
        (told["findings"], Counter(one["severity"] for one in judged["findings"])),
        (told["verdict"], judged["verdict"]),
        (told["verdict"] != "passed" and any(one["shown"] for one in told["controls"]), False),
        ([[one["item"], one["verdict"]] for one in judged["checklist"]], boxes),
    ):
        if one != other:
            return 1, f"not all is of one drill: {one!s:.99} is not {other!s:.99}"
    found = [((2 if f else 1 if u else 0), why) for f, u, why in causes(record)]
    signed, (rank, why) = RANK.index(told["verdict"]), max(found, key=lambda one: one[0])
    if rank != signed:
        why = why if rank > signed else f"why, no rule here can say. There is none for {UNRULED}"
        return 1 if rank > signed else 3, f"signed: {RANK[signed]}; recomputed: {RANK[rank]}: {why}"
    return 0, f"the drill {RANK[rank]}. On the signer's word alone: {UNRULED}"


if __name__ == "__main__":
    try:
        code, said = examine(*map(Path, sys.argv[1:]))
    except Exception as error:  # whatever it is: nothing is verified
        code, said = 2 if len(sys.argv) != 3 else 1, f"{type(error).__name__}: {error}"
    sys.stdout.write(f"{'NOT ' if code else ''}VERIFIED: {said}.\n")
    sys.exit(code)
