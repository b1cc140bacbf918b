"""Is the right process running, and did it start or reload cleanly?"""

from __future__ import annotations

import re
import shlex

from rollback_drill.ground.finding import Finding, failed, judged, unknown
from rollback_drill.ground.words import pairs
from rollback_drill.perform.check import check
from rollback_drill.perform.moment import Moment
from rollback_drill.stage.host import look
from rollback_drill.watch.logs import APPLICATION, Arrival, application_entry


@check(
    r"(?:<SERVICE>|process)<DONE> restarted",
    r"restart <SERVICE>",
    examples=["The application was restarted", "Restart the service"],
    needs="process",
)
def restarted(moment: Moment, match: re.Match[str]) -> Finding:
    """Every host runs another process than before this step, built of what is checked out."""
    before, after = moment.pids_before, moment.stage.process.pids()
    if before is None:
        return unknown("nobody saw which process ran before the step")
    names = [host.name for host in moment.stage.hosts]
    fresh = [name for name in names if after.get(name) and after.get(name) != before.get(name)]
    told = ", ".join(f"{n}: {before.get(n, 'none')} → {after.get(n, 'none')}" for n in names)
    stale, runs = _built_of(moment)
    return judged(
        fresh == names and not stale,
        f"process ids {told}{runs and f'; {runs}'}",
        "on every host a process that was not there before"
        + (", built of what is checked out" if runs else ""),
    )


def _built_of(moment: Moment) -> tuple[list[str], str]:
    """Return the hosts whose service was built of something else than what is checked out there,
    and what each runs; nothing where services run from the folder itself.
    """
    releases = moment.stage.running_releases()
    stale, told = [], []
    for host in moment.stage.hosts if releases else ():
        release = releases[host.name]
        done = look(
            host,
            "git describe --tags --always\n"
            f'[ "$(git rev-parse {shlex.quote(release)}^{{commit}})" = "$(git rev-parse HEAD)" ]',
            limit_s=10,
        )
        tree = next(iter(done.stdout.splitlines()), "nothing")
        told.append(f"{host.name} runs {release or 'no release that it tells'}, {tree} is there")
        if not release or not done.ok:
            stale.append(host.name)
    return stale, "; ".join(told)


# Whatever the program is called: a path of the deployment's folder is told, or it was started in
# that folder with a part of it, by no other folder's environment.
_FROM_HERE = """cd -P . && at=/proc/{pid}
mapfile -d '' -t words < "$at/cmdline"
echo "${{words[*]}}"
grep -qF -e "$PWD" -e "$OLDPWD" <<< "${{words[*]}}" && exit 0
[ "$(readlink "$at/cwd")" = "$PWD" ] && [ ! -e "${{words[0]%/*}}/../pyvenv.cfg" ] || exit 1
for word in "${{words[@]}}"; do
  module="${{word%%[.:]*}}"
  case "$word" in [!/-]*)
    if [ -e "$word" ] || [ -d "$module" ] || [ -e "$module.py" ]; then exit 0; fi ;;
  esac
done
exit 1
"""


@check(
    r"(?:<SERVICE> )?process<IS> (?:running|alive)(?: check with ps aux \| grep [\w.-]+)?",
    examples=["Its process is running", "Process running"],
    needs="process",
)
def running(moment: Moment, match: re.Match[str]) -> Finding:
    """The process exists on every host, and runs from the deployment or was built of it."""
    stage = moment.stage
    pids = stage.process.pids()
    missing = [host.name for host in stage.hosts if host.name not in pids]
    if missing:
        return failed(f"no process on {', '.join(missing)}", "one on every host")
    stale, runs = _built_of(moment)
    if runs:
        return judged(not stale, f"process ids {pairs(pids)}; {runs}", "what is checked out to run")
    lines, ours = {}, True
    for host in stage.hosts:
        script = _FROM_HERE.format(pid=pids[host.name])
        done = look(host, script, limit_s=10)
        lines[host.name] = f"{host.name}: {pids[host.name]} {done.stdout.strip()[-60:]}"
        ours = ours and done.ok
    return judged(ours, "; ".join(lines.values()), "a process of the deployment's folder")


@check(
    r"<SERVICE><DONE> stopped",
    examples=["The application is stopped"],
    needs="process",
)
def stopped(moment: Moment, match: re.Match[str]) -> Finding:
    """No host runs a process of the service."""
    pids = moment.stage.process.pids()
    return judged(not pids, f"process ids {pairs(pids)}" if pids else "no process is left", "none")


@check(
    r"<SERVICE> reloaded (?:it|config(?:uration)?)"
    r"(?: (?:log says|check logs for) config reloaded)?",
    r"config(?:uration)?<DONE> reloaded",
    examples=[
        "The application reloaded it: its log says `Config reloaded`",
        "Configuration was reloaded",
    ],
)
def reloaded(moment: Moment, match: re.Match[str]) -> Finding:
    """Every host's log says "Config reloaded" since this step began."""
    missing = []
    logs = moment.stage.application_log()
    readings = moment.tail.logs[APPLICATION].readings
    for host in moment.stage.hosts:
        pattern = moment.stage.interface.log_error
        lines = logs[host.name].splitlines()
        # Its lines bear the host's time, and the step began by ours.
        ahead_s = readings[host.name].skew_s if host.name in readings else 0.0
        arrival = Arrival(skew_s=ahead_s)
        entries = (application_entry(line, host.name, pattern, arrival) for line in lines)
        if not any(e.at >= moment.began_at and "Config reloaded" in e.text for e in entries):
            missing.append(host.name)
    return judged(
        not missing,
        f"the log of {', '.join(missing)} says nothing of a reload since the step began"
        if missing
        else "“Config reloaded” is in the log of every host",
        "“Config reloaded”",
    )


@check(
    r"no restart(?: was| is)? (?:needed|required)",
    r"<SERVICE><DONE> not restarted",
    examples=["No restart was needed", "The service was not restarted"],
    needs="process",
)
def not_restarted(moment: Moment, match: re.Match[str]) -> Finding:
    """Every host still runs the process that ran before this step."""
    before, after = moment.pids_before, moment.stage.process.pids()
    if before is None:
        return unknown("nobody saw which process ran before the step")
    if not before:
        return unknown("no process ran before the step")
    now_there = pairs(after) or "none"
    told = f"process ids before: {pairs(before)}; now: {now_there}"
    return judged(before == after, told, "the same processes")
