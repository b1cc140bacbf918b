"""What happens to files: lines that are lost, doubled, swapped, cut or mixed, and strange bytes."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from hypothesis import strategies as st

STRANGE = (
    *("", " ", "\t", "\r", "\0", "\x0c", "\x1b[31m", "\u2028", "\u00a0", "\u200b", "\u202e", "\ufeff"),
    *("é", "😀", "א", "ＳＴＥＰ", "%", "(", "[", "]", "{", "}", "<!--", "-->", "<", "|", "#", "`", "\\"),
    *("*", "_", ":", "=", '"', "'", '"""', ",", ";", "-", "\n\n", "\n---\n", "\n===\n", "&nbsp;", "$("),
    *("9" * 40, "-1", "1e400", "nan", "inf", "null", "true", "0", "\udc80"),
)  # fmt: skip
Edit = Callable[[list[str]], list[str]]


def _at(lines: list[str], place: float) -> int:
    return min(int(place * len(lines)), len(lines) - 1)


@st.composite
def edits(draw: st.DrawFn, more: Sequence[str] = ()) -> Edit:
    """Draw one change of a list of lines. `more`: lines that may come in."""
    place, other = draw(st.floats(0, 1)), draw(st.floats(0, 1))
    kind = draw(
        st.sampled_from(("drop", "double", "swap", "many", "cut", "join", "insert", "fill"))
    )
    strange, where = draw(st.sampled_from(STRANGE)), draw(st.floats(0, 1))
    line = draw(st.sampled_from([*more, *STRANGE]))
    count = draw(st.integers(1, 12))

    def edit(lines: list[str]) -> list[str]:
        if not lines:
            return [line]
        found = [*lines]
        here, there = _at(found, place), _at(found, other)
        column = int(where * len(found[here]))
        if kind == "drop":
            del found[here : here + (count if count > 8 else 1)]
        elif kind == "double":
            found.insert(there, found[here])
        elif kind == "swap":
            found[here], found[there] = found[there], found[here]
        elif kind == "many":
            found[here:here] = found[here : here + 3] * count
        elif kind == "cut":
            found[here] = found[here][:column]
        elif kind == "join":
            found[here : here + 2] = ["".join(found[here : here + 2])]
        elif kind == "insert":
            found.insert(here, line)
        else:
            found[here] = found[here][:column] + strange + found[here][column + count % 3 :]
        return found

    return edit


@st.composite
def damaged(draw: st.DrawFn, text: str, most: int = 4, more: Sequence[str] = ()) -> bytes:
    """Draw what becomes of `text`, in bytes."""
    lines = text.split("\n")
    for edit in draw(st.lists(edits(more), min_size=1, max_size=most)):
        lines = edit(lines)
    end = draw(st.sampled_from(("\n",) * 6 + ("\r\n", "\r")))
    raw: bytes = end.join(lines).encode("utf-8", "surrogateescape")
    if draw(st.integers(0, 9)) == 0:
        place = draw(st.integers(0, len(raw)))
        raw = raw[:place] + draw(st.binary(max_size=3)) + raw[place + 1 :]
    return raw
