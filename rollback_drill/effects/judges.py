"""Whether a procedure changed anything that no step of it says."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator
from itertools import pairwise

from rollback_drill.effects.declared import is_one_of
from rollback_drill.effects.told import (
    AFTER,
    BEFORE,
    CLOSED,
    GONE,
    NOT_HELD,
    PREPARATION,
    UNBROKEN,
    EffectsDeclared,
    HostSeen,
    ServerSeen,
)
from rollback_drill.ground.verdict import Verdict
from rollback_drill.record.book import Book, lives
from rollback_drill.record.judge import Cause, judging

_MOST = 5  # that are named of each kind
_MORE = 50  # threads or open files: pools that grow under traffic have fewer
_BY = {
    PREPARATION: "before the preparation",
    BEFORE: "in the preparation",
    AFTER: "by the procedure",
    GONE: "after the procedure",
}
_CLOSING = "by the closing steps"
_NEEDED = (PREPARATION, AFTER)
_EARLY = (UNBROKEN, PREPARATION, BEFORE)
_MAY_COME = ("tag", "stash", "origin")
_MAY_BE_UNSEEN = {
    "config": "the configuration",
    "tree": "the deployment's folder",
    "origin": "the origin's branches and tags",
    "secrets": "which files hold secrets",
    "crontab": "the crontab",
    "balancer": "the load balancer's settings",
    "processes": "the processes",
}
_NAMED = {
    "setting": "git's setting",
    "hook": "git's hook",
    "tag": "the tag",
    "stash": "what was put aside as",
    "hidden": "git's mark not to look at",
    "rule": "git's file",
    "lock": "git's lock",
    "origin": "the origin's",
}


@judging(136, whole=True)
def of_usage(book: Book) -> Iterator[Cause]:
    """A service that has more and more threads or open files while clients ask, and would run out
    of them.
    """
    seen = book.every(HostSeen)
    for name in dict.fromkeys(one.host for one in seen):
        looks = [one for one in seen if one.host == name and one.usage]
        for before, after in pairwise(looks):
            if (before.moment, after.moment) != (AFTER, GONE) or before.service != after.service:
                continue
            for what, was in before.usage.items():
                now = after.usage.get(what, 0)
                if now > was + _MORE:
                    told = f"it had {was} {what} {AFTER}, and {now} {GONE}"
                    advice = "see what of each request it keeps"
                    yield Cause(Verdict.FAILED, f"Service on {name}", told, advice=advice)


@judging(125, whole=True)
def of_effects(book: Book) -> Iterator[Cause]:
    """Nothing but what the runbook says is another than before: files, settings, processes,
    databases.
    """
    seen, declared = book.every(HostSeen), book.every(EffectsDeclared)
    if not declared or any(one.moment == NOT_HELD for one in seen):
        return  # what is left half done has causes of its own
    now = lives(book)[-1]
    alone = now.events == book.events  # what a drill that was killed left is nobody's effect
    owed = len(now.every(EffectsDeclared))
    if not seen:
        yield Cause(Verdict.UNKNOWN, "Effects", "what stood on the hosts is not on record")
    for name in dict.fromkeys(one.host for one in seen):
        looks = [one for one in seen if one.host == name]
        ended = sum(one.host == name and one.moment == AFTER for one in now.every(HostSeen))
        if ended < owed:
            what = f"what stood on {name} {AFTER} is on record {ended} of {owed} times"
            yield Cause(Verdict.UNKNOWN, "Effects", what)
        blind = [one for one in looks if "host" in one.unseen]
        for one in blind:
            if one.moment in _NEEDED:
                what = f"what stood on {name} {one.moment}, nobody saw: {one.unseen['host']}"
                yield Cause(Verdict.UNKNOWN, "Effects", what)
        looks = [one for one in looks if one not in blind]
        yield from _seen_before_alone(name, looks)
        for where, find in _KINDS.items():
            if find is _processes and not alone:
                continue
            yield from _causes(where, (f"{name}: {what}" for what in find(looks, declared)))
    if alone:
        yield from _of_databases(book.every(ServerSeen), declared)


def _seen_before_alone(host: str, looks: list[HostSeen]) -> Iterator[Cause]:
    """Name what a look could see before the procedure, and none could behind it."""
    early = [one for one in looks if one.moment in _EARLY]
    for what, where in _MAY_BE_UNSEEN.items():
        if early and all(what in one.unseen for one in early):
            continue  # it never could be seen there, which stands in the report
        for one in looks:
            if one.moment == AFTER and what in one.unseen:
                told = f"{where} of {host} {one.moment}, nobody saw: {one.unseen[what]}"
                yield Cause(Verdict.UNKNOWN, "Effects", told)


def _causes(where: str, found: Iterable[str]) -> Iterator[Cause]:
    all_of_them = list(dict.fromkeys(found))
    for number, what in enumerate(all_of_them[:_MOST], 1):
        left = len(all_of_them) - _MOST
        more = f", and {left} more like it" if number == _MOST and left > 0 else ""
        yield Cause(Verdict.FAILED, where, what + more)


_Finds = Iterator[str]
_Declared = list[EffectsDeclared]


def _by(look: HostSeen | ServerSeen) -> str:
    return _BY.get(look.moment, _CLOSING)


def _settings(looks: list[HostSeen], declared: _Declared) -> _Finds:
    named = {key for one in declared for key in one.keys}
    first, told = looks[:1], set[str]()
    for one in looks[1:]:
        before = first[0]
        if before.config and not one.config:
            yield f"the configuration file is gone, {_by(one)}"
            return
        for key in sorted({*before.config, *one.config} - told):
            if before.config.get(key) == one.config.get(key) or _last(key) in named:
                continue
            # Another release brings a configuration of its own.
            if one.head != before.head and key not in one.uncommitted:
                continue
            told.add(key)
            yield f"{key} of the configuration has another value than before, {_by(one)}"


def _last(key: str) -> str:
    return key.rpartition(".")[2].partition("[")[0]


def _folder(looks: list[HostSeen], declared: _Declared) -> _Finds:
    del declared
    for before, after in pairwise(looks):
        known = {line[3:] for look in looks[: looks.index(after)] for line in look.tree}
        for line in after.tree:
            if line[3:] not in known:
                what = "is new and belongs to no release" if line[:2] == "??" else "was changed"
                yield f"{line[3:]} {what}, {_by(after)}"
        if after.head == before.head and "tree" not in after.unseen:
            for line in before.tree:
                if line[:2] == "??" and line not in after.tree:
                    yield f"{line[3:]}, which belongs to no release, is gone, {_by(after)}"


def _files(looks: list[HostSeen], declared: _Declared) -> _Finds:
    rotates = any(one.rotates for one in declared)
    for before, after in pairwise(looks):
        for path, was in before.files.items():
            now = after.files.get(path)
            if now is None and not rotates:
                yield f"{path} is gone, {_by(after)}"
            elif now is not None and now != was:
                yield f"{path} is another than before, {_by(after)}: {now}, not {was}"


def _evidence(looks: list[HostSeen], declared: _Declared) -> _Finds:
    """What the preparation kept for the post-mortem stays: more may come."""
    del declared
    for before, after in pairwise(looks):
        for path, was in before.evidence.items() if after.moment not in _EARLY else ():
            now = after.evidence.get(path)
            if now is None:
                yield f"{path} is gone, {_by(after)}"
            elif now < was:
                yield f"{path} is smaller than before, {_by(after)}: {now} bytes, not {was}"


def _rights(looks: list[HostSeen], declared: _Declared) -> _Finds:
    del declared
    for before, after in pairwise(looks):
        for path, was in before.rights.items():
            now = after.rights.get(path, was)
            if now != was:
                yield f"{path} has other rights than before, {_by(after)}: {now}, not {was}"
        for path in after.open:
            if path not in before.open:
                yield f"everybody may write {path}, {_by(after)}"


def _repository(looks: list[HostSeen], declared: _Declared) -> _Finds:
    """Tags and branches may come, and a branch may move on where a step pushes it."""
    pushed = [words for one in declared for words in one.pushes]
    left = looks[-1].repository
    for before, after in pairwise(looks):
        blind = "origin" in {*before.unseen, *after.unseen}
        for name in {**before.repository, **after.repository}:
            kind, _, what = name.partition(" ")
            was, now = before.repository.get(name), after.repository.get(name)
            if was == now or (was is None and kind in _MAY_COME) or (blind and kind == "origin"):
                continue
            if kind == "setting" and what.startswith("branch."):
                continue  # git's own notes
            if kind == "lock" and (now is None or after.moment in _EARLY or name not in left):
                continue  # of a git at work, or of one that was killed, which a step takes away
            if now and what.startswith("refs/heads/") and _is_pushed(what, pushed):
                continue
            how = "gone" if now is None else "new" if was is None else "another than before"
            yield f"{_NAMED[kind]} {what} is {how}, {_by(after)}"


def _is_pushed(branch: str, pushed: list[str]) -> bool:
    name = branch.removeprefix("refs/heads/")
    return any(
        re.search(rf"(?:^|[\s:])(?:refs/heads/)?{re.escape(name)}(?=[\s:]|$)", words)
        and not re.search(r"(?:^|\s)(?:-f|--force\S*|\+\S+)(?=\s|$)", words)
        for words in pushed
    )


def _starts(looks: list[HostSeen], declared: _Declared) -> _Finds:
    del declared
    for before, after in pairwise(looks):
        for path in {**before.starts, **after.starts} if before.starts else ():
            if before.starts.get(path) != after.starts.get(path):
                how = "another than before" if path in after.starts else "gone"
                how = how if path in before.starts else "new"
                yield f"{path}, which says how programs are started, is {how}, {_by(after)}"


def _secrets(looks: list[HostSeen], declared: _Declared) -> _Finds:
    del declared
    for before, after in pairwise(looks):
        for path in after.secrets if "secrets" not in before.unseen else ():
            if path not in before.secrets:
                yield f"{path} holds a secret of the environment, {_by(after)}"


def _processes(looks: list[HostSeen], declared: _Declared) -> _Finds:
    """What was there at two looks stays, what was there at one may have been a look itself."""
    del declared
    service = {who for one in looks for who in one.service}
    if any("processes" in one.unseen for one in looks):
        return
    before = [one.processes for one in looks if one.moment in (PREPARATION, BEFORE)]
    after = [one for one in looks if one.moment not in (PREPARATION, BEFORE)]
    if len(before) < 2 or len(after) < 2:
        return
    stood = set.intersection(*map(set, before)) - service
    for who in sorted(stood):
        if not any(who in one.processes for one in after):
            yield f"process {before[0][who]} ({who}) is gone, {_by(after[0])}"
    known = {who for one in before for who in one} | service
    for earlier, later in pairwise(after):
        for who in sorted(set(earlier.processes) & set(later.processes) - known):
            known.add(who)
            yield f"process {later.processes[who]} ({who}) was left running, {_by(earlier)}"


def _conditions(looks: list[HostSeen], declared: _Declared) -> _Finds:
    """Under which limits the service runs: a fault may have changed some, and is over."""
    del declared
    known = [one for one in looks if one.conditions]
    for one in known[1:]:
        for name, was in known[0].conditions.items() if one.moment not in _EARLY else ():
            now = one.conditions.get(name, was)
            if now != was:
                yield f"the service runs with {name} {now}, not {was} as before, {_by(one)}"


def _home(looks: list[HostSeen], declared: _Declared) -> _Finds:
    del declared
    for before, after in pairwise(looks):
        for path in after.home:
            if path not in before.home:
                yield f"{path} was left at home, {_by(after)}"


def _balancer(looks: list[HostSeen], declared: _Declared) -> _Finds:
    """Up to the end of the first procedure, and while the closing steps are done: between them the
    drill takes back what it did to it.
    """
    del declared
    for before, after in pairwise(one for one in looks if one.balancer):
        if (before.moment, after.moment) == (GONE, CLOSED):
            for key in sorted({*before.balancer, *after.balancer}):
                if before.balancer.get(key) != after.balancer.get(key):
                    yield f"{key} of the load balancer is another than before, {_by(after)}"
    ends = next((n for n, one in enumerate(looks, 1) if one.moment == AFTER), 0)
    looks = [one for one in looks[:ends] if one.balancer]
    if not looks or (looks[0].moment, looks[-1].moment) != (PREPARATION, AFTER):
        return
    was, now = looks[0].balancer, looks[-1].balancer
    for key in sorted({*was, *now}):
        if was.get(key) != now.get(key):
            by = next(one for one in looks[1:] if one.balancer.get(key) == now.get(key))
            yield f"{key} of the load balancer is another than before, {_by(by)}"


def _crontab(looks: list[HostSeen], declared: _Declared) -> _Finds:
    del declared
    for before, after in pairwise(looks):
        if {"crontab"} & {*before.unseen, *after.unseen}:
            continue
        gone, new = {*before.crontab} - {*after.crontab}, {*after.crontab} - {*before.crontab}
        if gone or new:
            yield f"{len(gone)} lines of the crontab are gone and {len(new)} new, {_by(after)}"


_KINDS: dict[str, Callable[[list[HostSeen], _Declared], _Finds]] = {
    "Configuration": _settings,
    "Deployment's folder": _folder,
    "Kept files": _files,
    "Evidence": _evidence,
    "Rights": _rights,
    "Repository": _repository,
    "Services' settings": _starts,
    "Secrets": _secrets,
    "Processes": _processes,
    "Service's limits": _conditions,
    "Left files": _home,
    "Load balancer": _balancer,
    "Crontab": _crontab,
}


def _of_databases(looks: list[ServerSeen], declared: _Declared) -> Iterator[Cause]:
    for one in looks:
        if one.why and one.moment in _NEEDED:
            what = f"which there were {one.moment}, nobody saw: {one.why}"
            yield Cause(Verdict.UNKNOWN, "Databases", what)
    own = {one.own for one in declared}
    left = [name for one in declared for name in one.databases]
    dropped = [name for one in declared for name in one.drops]

    def found() -> _Finds:
        for before, after in pairwise(one for one in looks if not one.why):
            for name, oid in before.databases.items():
                now = after.databases.get(name)
                if now is None and not is_one_of(name, dropped):
                    yield f"{name} is gone, {_by(after)}"
                elif now not in (None, oid) and name not in own:
                    yield f"{name} was made anew, {_by(after)}"
            for name in after.databases:
                if name not in before.databases and not is_one_of(name, left):
                    yield f"{name} was left behind, {_by(after)}"

    yield from _causes("Databases", found())
    yield from _causes("Databases", _of_contents(looks, own))
    yield from _unseen_contents(looks)


def _of_contents(looks: list[ServerSeen], own: set[str]) -> _Finds:
    for name in dict.fromkeys(name for one in looks for name in one.held if name not in own):
        seen = [one for one in looks if one.held.get(name)]
        for before, after in pairwise(seen):
            if before.databases[name] != after.databases[name]:
                continue  # another one, which is told above
            was, now = before.held[name], after.held[name]
            for part in sorted({*was, *now}):
                if was.get(part) != now.get(part):
                    yield f"{part} of {name} is another than before, {_by(after)}"


def _unseen_contents(looks: list[ServerSeen]) -> Iterator[Cause]:
    """A fault may take every connection: then what was seen while all was well is enough."""
    for name in dict.fromkeys(name for one in looks for name in one.held):
        there = [one for one in looks if name in one.held]
        for when, moments in (("the procedure", _EARLY), ("its end", (AFTER,))):
            asked = [one for one in there if one.moment in moments]
            if asked and not any(one.held[name] for one in asked):
                what = f"what {name} held before {when}, nobody saw"
                yield Cause(Verdict.UNKNOWN, "Databases", what)
