"""What a command prints, within bounds: of each end of a stream so much is kept, the rest counted.

One helper for the outputs of all hosts. Where a script runs in a session that tells of its own end
(see stage.session), the marks of that are taken out of the streams here: an output is whole only
with them.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable

OnLine = Callable[[str, str], None]
"""Called with the stream ("stdout" or "stderr") and one line without its newline."""

STREAMS = ("stdout", "stderr")
KEPT = 1_000_000  # bytes of a stream that are kept from its beginning; of its end a quarter of it
MAX_LINE = 4_000  # characters of a line that are handed on as it comes
BEGIN_LIMIT_S = 15.0  # for a host to answer and begin; the command's own limit counts from there
_LINE_COST = 16  # so that a storm of empty lines is bounded, too
_LONGEST_MARK = 500
_SOON_S, _LOOK_S = 0.002, 0.05


class Output:
    """The two streams of one command. `token`: what its session signs its marks with, "" where it
    makes none. Streams may be fed by a thread each.
    """

    def __init__(self, token: str = "", on_line: OnLine | None = None, keep: int = KEPT) -> None:
        self._streams = {name: _Stream(name, on_line, keep) for name in STREAMS}
        self._marks = {name: _Marks(token) for name in STREAMS}
        self._changed = threading.Condition()
        self._over = False
        self._error: Exception | None = None
        self._signed = bool(token)
        self._began_at = 0.0 if token else time.monotonic()

    def feed(self, stream: str, chunk: bytes) -> None:
        """Take what came; nothing any more once it is finished, so that it can be read for ever."""
        with self._changed:
            if self._over:
                return
            marks = self._marks[stream]
            try:
                self._streams[stream].feed(marks.without(chunk))
            except Exception as error:
                # Of whoever is told the lines: raised where it is waited, not in a reader's thread.
                self._error = error
                self._over = True
            if marks.begun and not self._began_at:
                self._began_at = time.monotonic()
            if marks.ended:
                self._changed.notify_all()

    def wake(self) -> None:
        """Have `wait` look at once whether it is over."""
        with self._changed:
            self._changed.notify_all()

    def wait(self, limit_s: float, over: Callable[[], bool]) -> bool:
        """Wait until the command told of its end on both streams, or it is `over` without.

        Return whether that was so within `limit_s` seconds of its beginning.
        """
        asked = time.monotonic()
        pause = _SOON_S
        with self._changed:
            while not self.ended:
                if over():
                    return True
                until = self._began_at + limit_s if self._began_at else asked + BEGIN_LIMIT_S
                left = until - time.monotonic()
                if left <= 0:
                    return False
                self._changed.wait(min(left, pause))
                pause = min(2 * pause, _LOOK_S)  # most are short; long ones need no haste
            return True

    def finish(self) -> None:
        """Take the rest of what has come for its end. Raises what `on_line` raised."""
        with self._changed:
            if self._error:
                raise self._error
            if not self._over:
                self._over = True
                for name in STREAMS:
                    self._streams[name].feed(self._marks[name].rest())
                    self._streams[name].finish()

    @property
    def begun(self) -> str:
        """What the session said as it began, "" before."""
        return self._marks["stdout"].begun

    @property
    def ended(self) -> bool:
        """Whether both streams came to the end that the session told."""
        return all(marks.ended for marks in self._marks.values())

    @property
    def told(self) -> bool:
        """Whether all that the session tells of its end is here; true where it tells nothing."""
        return self.ended or not self._signed

    @property
    def exit_status(self) -> int:
        """The status that the session told, once it has `ended`."""
        return int(self._marks["stdout"].ended)

    @property
    def left_out(self) -> int:
        """How many bytes between the ends were not kept."""
        return sum(stream.left_out for stream in self._streams.values())

    def before(self) -> str:
        """Return what the way to the host said before a script began there."""
        return self._marks["stderr"].before() or self._marks["stdout"].before()

    def text(self, stream: str) -> str:
        """Return what was kept of a stream, with a sentence where something is left out."""
        return "\n".join(self._streams[stream].lines)


class _Marks:
    """Takes marks out of one stream: a sign that no output holds, a word, a value, a newline."""

    def __init__(self, token: str) -> None:
        self._sign = b"\x1e" + token.encode() + b" " if token else b""
        self._held = b""
        self._before = b""
        self.begun = ""
        self.ended = ""

    def without(self, chunk: bytes) -> bytes:
        """Return what came of the script itself, without marks: what may be the beginning of one is
        held back, and what comes before it has begun are words of the way there.
        """
        if not self._sign:
            return chunk
        came = self._without(chunk)
        if self.begun:
            return came
        self._before = (self._before + came)[-MAX_LINE:]
        return b""

    def _without(self, chunk: bytes) -> bytes:
        data, out = self._held + chunk, []
        while (at := data.find(self._sign)) >= 0:
            end = data.find(b"\n", at, at + _LONGEST_MARK)
            out.append(data[:at])
            if end < 0:
                self._held = data[at:]
                return b"".join(out)
            word, _, value = (
                data[at + len(self._sign) : end].decode(errors="replace").partition(" ")
            )
            if word == "begun":
                self.begun = value
                self._before += b"".join(out)
                out.clear()
            else:
                self.ended = value
            data = data[end + 1 :]
        at = data.rfind(b"\x1e", max(0, len(data) - len(self._sign)))
        cut = at if at >= 0 and self._sign.startswith(data[at:]) else len(data)
        self._held = data[cut:]
        return b"".join((*out, data[:cut]))

    def rest(self) -> bytes:
        """Return what was held back and became no mark."""
        held, self._held = self._held, b""
        return b"" if self._sign and (held.startswith(self._sign) or not self.begun) else held

    def before(self) -> str:
        """Return what came on the stream before the script began."""
        return self._before.decode(errors="replace")


class _Stream:
    """The lines of one stream: those of its beginning as they come, those of its end at the end."""

    def __init__(self, name: str, on_line: OnLine | None, keep: int) -> None:
        self._name = name
        self._on_line = on_line
        self._room = keep
        self._end_room = keep // 4
        self._line = bytearray()
        self._cut = 0  # bytes of the line for which there is no room
        self._tail = bytearray()
        self._dropped = 0  # bytes between the beginning and the tail
        self.lines: list[str] = []
        self.left_out = 0

    def feed(self, chunk: bytes) -> None:
        start = 0
        while start < len(chunk) and self._room > 0:
            end = chunk.find(b"\n", start)
            self._extend(chunk[start : end if end >= 0 else len(chunk)])
            if end < 0:
                return
            self._end_line()
            start = end + 1
        self._tail += memoryview(chunk)[start:]
        if len(self._tail) > 2 * self._end_room:
            self._drop(len(self._tail) - self._end_room)

    def finish(self) -> None:
        if self._line or self._cut:
            self._end_line()
        if self._dropped:
            self._drop(max(0, len(self._tail) - self._end_room))
            # The first of them lacks its beginning.
            self._drop(self._tail.find(b"\n") + 1)
            self._take(f"… ({self._dropped:,} bytes left out) …")
        self._room = len(self._tail) * (1 + _LINE_COST) + 1
        *lines, last = self._tail.split(b"\n")
        self._tail = bytearray()
        for line in lines:
            self._extend(line)
            self._end_line()
        if last:
            self._extend(last)
            self._end_line()

    def _drop(self, count: int) -> None:
        self._dropped += count
        self.left_out += count
        del self._tail[:count]

    def _extend(self, part: bytes | bytearray) -> None:
        room = max(0, self._room - len(self._line))
        self._line += part[:room]
        self._cut += max(0, len(part) - room)

    def _end_line(self) -> None:
        text = self._line.removesuffix(b"\r").decode(errors="replace")
        self._room -= len(self._line) + _LINE_COST
        if self._cut:
            text = f"{text}… ({self._cut:,} bytes left out)"
            self.left_out += self._cut
        self._take(text)
        self._line.clear()
        self._cut = 0

    def _take(self, text: str) -> None:
        self.lines.append(text)
        if self._on_line:
            more = len(text) - MAX_LINE
            told = f"{text[:MAX_LINE]}… ({more:,} characters more)" if more > 0 else text
            self._on_line(self._name, told)
