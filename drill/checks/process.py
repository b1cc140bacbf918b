"""Is the right process running, and did it start or reload cleanly?"""

from __future__ import annotations

import re
import shlex

from drill.check import Finding, Situation, check, failed, judged, unknown
from drill.checks.release import all_ok, on_every_host
from drill.host import look
from drill.probe import application_entry


@check(
    r"(application|service|process) (was |has )?(been )?restarted",
    r"restarted with",
    needs="process",
)
def restarted(situation: Situation, match: re.Match[str]) -> Finding:
    """Every host runs another process than before this step, built of what is checked out."""
    before, after = situation.pids_before, situation.stage.pids()
    if before is None:
        return unknown("nobody saw which process ran before the step")
    names = [host.name for host in situation.stage.hosts]
    fresh = [name for name in names if after.get(name) and after.get(name) != before.get(name)]
    told = ", ".join(f"{n}: {before.get(n, 'none')} → {after.get(n, 'none')}" for n in names)
    stale, runs = _built_of(situation)
    return judged(fresh == names and not stale, f"process ids {told}{runs and f'; {runs}'}")


def _built_of(situation: Situation) -> tuple[list[str], str]:
    """Return the hosts whose service was built of something else than what is checked out there,
    and what each runs; nothing where services run from the folder itself.
    """
    releases = situation.stage.running_releases()
    stale, told = [], []
    for host in situation.stage.hosts if releases else ():
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


@check(r"process (is )?(running|alive)", r"running process", needs="process")
def running(situation: Situation, match: re.Match[str]) -> Finding:
    """The process exists on every host, and runs from the deployment or was built of it."""
    stage = situation.stage
    pids = stage.pids()
    missing = [host.name for host in stage.hosts if host.name not in pids]
    if missing:
        return failed(f"no process on {', '.join(missing)}")
    stale, runs = _built_of(situation)
    if runs:
        return judged(not stale, f"process ids {pids}; {runs}")
    lines = {}
    for host in stage.hosts:
        # Started from the deployment's folder, whatever the program is called.
        done = look(
            host, f"tr '\\0' ' ' < /proc/{pids[host.name]}/cmdline | grep -F \"$PWD\"", limit_s=10
        )
        lines[host.name] = done.stdout.strip() if done.ok else ""
    alive = all(lines.values())
    return judged(alive, "; ".join(f"{n}: {pids[n]} {line[-60:]}" for n, line in lines.items()))


@check(r"reload")
def reloaded(situation: Situation, match: re.Match[str]) -> Finding:
    """Every host's log says "Config reloaded" since this step began."""
    missing = []
    logs = situation.stage.application_log()
    for host in situation.stage.hosts:
        pattern = situation.stage.interface.log_error
        lines = logs[host.name].splitlines()
        entries = (application_entry(line, host.name, pattern) for line in lines)
        if not any(e.at >= situation.began_at and "Config reloaded" in e.text for e in entries):
            missing.append(host.name)
    return judged(
        not missing,
        f"no “Config reloaded” since the step began on {', '.join(missing)}"
        if missing
        else "“Config reloaded” is in the log of every host",
    )


@check(r"(no|without) (a )?restart", r"same process", needs="process")
def not_restarted(situation: Situation, match: re.Match[str]) -> Finding:
    """Every host still runs the process that ran before this step."""
    before, after = situation.pids_before, situation.stage.pids()
    if before is None:
        return unknown("nobody saw which process ran before the step")
    if not before:
        return unknown("no process ran before the step")
    return judged(before == after, f"process ids before {before}, now {after}")


@check(r"config(uration)?( file)? (is |was |has been )?(updated|changed|written)")
def configuration_updated(situation: Situation, match: re.Match[str]) -> Finding:
    """The configuration of every host parses and has pagination switched off, nested rightly."""
    script = (
        ".venv/bin/python - \"$CONFIG_FILE\" <<'PY'\n"
        "import sys, yaml\n"
        "settings = yaml.safe_load(open(sys.argv[1]))['context_protection']\n"
        "print(settings)\n"
        "sys.exit(settings['pagination_enabled'] is not False)\n"
        "PY"
    )
    return all_ok(on_every_host(situation, script), "context_protection in the configuration")
