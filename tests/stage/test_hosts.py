"""What a script leaves is seen alike on hosts of every kind, and no script can see the drill."""

from __future__ import annotations

import re
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import pytest

from rollback_drill.ground.errors import StageError
from rollback_drill.ground.wait import wait_until
from rollback_drill.stage.host import Completed, Host, look
from rollback_drill.stage.output import KEPT
from tests.stage.host_support import KINDS, host_of

# Files of sessions that are gone; its own is not.
LEFT = (
    "for file in /tmp/.drill-* /run/.drill-*; do [ ! -e $file ] || "
    'kill -0 "$(cat $file)" 2>/dev/null || echo $file; done'
)


def left(host: Host) -> set[str]:
    return set(look(host, LEFT, limit_s=20).stdout.split())


@pytest.fixture(scope="module", params=KINDS)
def host(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Host]:
    with host_of(request.param, tmp_path_factory.mktemp("host")) as made:
        yield made


SCRIPTS: dict[str, tuple[int, str, str]] = {
    "exit 3": (3, "", ""),
    "echo one; false; echo two": (1, "one", ""),
    "printf 'no line end'": (0, "no line end", ""),
    "printf '\\n\\n'; printf 'x\\n\\n'; printf e >&2": (0, "\n\nx\n", "e"),
    "trap 'echo trapped; exit 9' EXIT; false": (9, "trapped", ""),
    "exec sh -c 'echo replaced; exit 7'": (7, "replaced", ""),
    "echo seen; exec > /dev/null 2>&1; echo unseen; exit 4": (4, "seen", ""),
    "exec >&- 2>&-; exit 5": (5, "", ""),
    "kill -KILL $$": (137, "", ""),
    "kill $$; sleep 5": (143, "", ""),
    "kill 0; sleep 5": (143, "", ""),
    "cat; echo read": (0, "read", ""),
    "read -r line || echo nothing to read": (0, "nothing to read", ""),
    "exec > >(sed s/^/tee:/); echo late": (0, "tee:late", ""),
    'echo "$GREETING"; pwd': (0, 'it\'s "me" $HOME\nand you\n/tmp', ""),
    "echo $LINENO\n\n\necho $LINENO $0": (0, "2\n5 bash", ""),
    "printf 'a\\377b\\000c\\n'": (0, "a\ufffdb\0c", ""),
    "printf '\\036 not a mark\\n\\036'": (0, "\x1e not a mark\n\x1e", ""),
    "pgrep -f squeamish-ossifrage || echo nobody": (0, "nobody", ""),
    "pkill -KILL -f magic-words || echo on": (0, "on", ""),
    "if true": (2, "", "bash: eval: line 3: syntax error: unexpected end of file"),
}


def test_every_script_is_seen_to_end_as_it_ended(host: Host) -> None:
    with ThreadPoolExecutor(max_workers=4) as pool:
        runs = {script: pool.submit(host.run, script, limit_s=30) for script in SCRIPTS}
    ended = {script: run.result() for script, run in runs.items()}
    seen = {script: (one.exit_status, one.stdout, one.stderr) for script, one in ended.items()}
    assert seen == SCRIPTS
    assert {(one.why, one.left_out) for one in ended.values()} == {("", 0)}


def test_a_daemon_that_holds_the_output_open_is_not_waited_for(host: Host) -> None:
    done = host.run("sleep 30 & setsid sleep 30 & echo begun", limit_s=60)
    assert (done.exit_status, done.stdout) == (0, "begun")
    assert done.took_s < 25


def test_a_session_that_was_killed_is_a_finding_of_its_own(host: Host) -> None:
    before = left(host)
    done = host.run("echo before; sleep 0.1; pkill -KILL -s 0; sleep 5", limit_s=20)
    assert (done.exit_status, done.ok) == (137, False)
    assert "was killed" in done.why
    assert done.stdout == "before"
    with pytest.raises(StageError, match="was killed"):
        look(host, "pkill -KILL -s 0; sleep 5", limit_s=20)
    assert left(host) <= before  # what an earlier one left for a moment may be gone


def test_a_script_at_its_limit_is_ended_with_all_that_it_started(host: Host) -> None:
    before = left(host)
    done = host.run("echo begun; timeout 60 sleep 98791 & sleep 98791", limit_s=0.5)
    assert (done.exit_status, done.stdout, done.why) == (None, "begun", "")
    told = look(host, "pgrep -f 'sleep 9879[1]' || echo nobody", limit_s=20)
    assert told.stdout == "nobody"
    assert left(host) <= before  # what an earlier one left for a moment may be gone


def test_what_came_to_its_limit_told_nothing(host: Host) -> None:
    with pytest.raises(StageError, match=r"had not answered after 0\.3 s"):
        look(host, "echo half; sleep 20", limit_s=0.3)


def test_an_abort_ends_what_runs_and_leaves_no_file(host: Host) -> None:
    before = left(host)
    ended: list[Completed] = []
    thread = threading.Thread(
        target=lambda: ended.append(host.run("exec sleep 98792", limit_s=120))
    )
    thread.start()
    for _ in wait_until("it runs", 60):
        if host.run("pgrep -x -f 'sleep 9879[2]'", limit_s=20).ok:
            break
    host.abort()
    thread.join(60)
    assert ended
    assert not ended[0].ok
    told = look(host, "pgrep -x -f 'sleep 9879[2]' || echo nobody", limit_s=20)
    assert told.stdout == "nobody"
    assert left(host) <= before  # what an earlier one left for a moment may be gone


@pytest.mark.parametrize(
    ("script", "size"),
    [
        ("head -c 20000000 /dev/zero", 20_000_000),
        ("{ yes || true; } | head -c 20000000; echo end", 20_000_004),
        ("{ head -c 9000000 /dev/urandom; seq 1000000; } >&2", 15_888_896),
    ],
)
def test_an_output_without_bounds_is_kept_within_bounds(host: Host, script: str, size: int) -> None:
    lines: list[str] = []
    done = host.run(script, limit_s=60, on_line=lambda _, text: lines.append(text))
    assert done.ok
    kept = done.stdout + done.stderr
    assert len(kept) < 2 * KEPT
    assert len(lines) == len(kept.split("\n")) < 200_000
    assert size - 2 * KEPT < done.left_out < size
    told = re.findall(r"… \(([\d,]+) bytes left out\)", kept)
    assert sum(int(number.replace(",", "")) for number in told) == done.left_out
    assert max(map(len, lines)) < 4_100
    assert lines[-1] in ("end", "1000000") or lines[-1].startswith("\0" * 4_000)


def test_a_host_tells_whole_what_is_looked_at_or_nothing(host: Host) -> None:
    assert look(host, "echo whole", limit_s=20).stdout == "whole"
    with pytest.raises(StageError, match="left out"):
        look(host, "seq 200000", limit_s=20, keep=10_000)
    assert len(look(host, "seq 200000", limit_s=20, keep=5_000_000).stdout.split()) == 200_000


def test_many_lines_of_a_script_arrive_whole(host: Host) -> None:
    script = "\n".join(f"# {number} {'x' * 60}" for number in range(3_000)) + "\necho arrived"
    assert len(script) > 200_000
    done = host.run(script, limit_s=30)
    assert (done.exit_status, done.stdout) == (0, "arrived")


def test_a_long_line_is_kept_whole_and_handed_on_in_part(host: Host) -> None:
    lines: list[str] = []
    script = "printf '%09999d\\nend' 7"
    done = host.run(script, limit_s=20, on_line=lambda _, text: lines.append(text))
    assert (done.stdout, done.left_out) == ("0" * 9_998 + "7\nend", 0)
    assert lines == ["0" * 4_000 + "… (5,999 characters more)", "end"]


def test_what_goes_wrong_with_a_line_is_said_and_holds_nobody_up(host: Host) -> None:
    def refuse(stream: str, text: str) -> None:
        raise ValueError(f"{stream} {text} cannot be recorded")

    with pytest.raises(ValueError, match="stdout 1 cannot be recorded"):
        host.run("seq 100000; exit 3", limit_s=30, on_line=refuse)
    assert host.run("exit 3", limit_s=20).exit_status == 3
