"""Whether a document is written in a language whose words for what not to do are known."""

from __future__ import annotations

import re
from collections.abc import Sequence

from rollback_drill.runbook.hints import Hints
from rollback_drill.runbook.kinds import NEEDED
from rollback_drill.runbook.outline import Section
from rollback_drill.runbook.problems import Problems
from rollback_drill.runbook.sessions import plainly_shell

_WORD = re.compile(r"[^\W\d_]+")
# Words that other languages do not have, or hardly: theirs for a rollback are often English.
_ENGLISH_WORDS = """
a above across after against all already also always an and another answer answers any are as at
back because before being below between both bring broken build but by can case cause changes check
checks clean clear close complete confirm could current customers data deploys does done down drain
drops each either else ensure every everything expected failed fails false fast few find first fix
fixed follow following for found freeze from give good has have healthy high hold homepage if into
is issue it its keep known least less let load loads logs look low make many may means more most
move must name needed never new next none not now old one only open other our out page pages passes
place point previous put rate reach ready remove replace restore return returns right roll rolled
run running runs same send shall should show shows since some steps still stop stops such sure
switch take takes tell that the their them then there these they thing this those through to too
turn two under unfreeze until up use used users verify wait warm was watch way well what when where
whether which while who why will with within without work works would write wrong yes you your
"""
_ENGLISH = frozenset(_ENGLISH_WORDS.split())
# Small words of other languages that English lacks: who writes three of them writes no English.
_OTHER_WORDS = """
auf avec bir che cuando das dans der ein eine en et för för gli het hvis için ikke il inte ist jest
las les lo los mit naar nach nao não na nicht nie niet när och para pas por pour på quando que się
sie till um una und une van voor wenn är není
"""
_OTHERS = frozenset(_OTHER_WORDS.split())
_LEAST_SHARE, _LEAST_WORDS, _MOST_OTHER, _MOST_SMALL = 0.16, 25, 0.2, 2


def check_language(sections: Sequence[Section], hints: Hints, problems: Problems) -> None:
    """Refuse a document in a language whose words for what not to do nobody knows."""
    if all(hints.words.get(kind) for kind in NEEDED):
        return
    texts = [one.title for one in sections]
    texts += [text for one in sections for _, text in [*one.texts, *one.items]]
    words = [word.lower() for one in texts if not plainly_shell(one) for word in _WORD.findall(one)]
    plain = [one for one in words if one.isascii()]
    share = sum(one in _ENGLISH for one in plain) / max(1, len(plain))
    other = sum(not one.isascii() for one in words) / max(1, len(words))
    strange = len(plain) >= _LEAST_WORDS and share < _LEAST_SHARE
    if other > _MOST_OTHER or strange or len(_OTHERS & set(words)) > _MOST_SMALL:
        needed = ", ".join(f"`{kind}`" for kind in NEEDED)
        problems.add(
            0,
            f"English, or the words of its language for {needed} in [runbook.words] of the staging "
            "file",
            "a text of which nobody can tell what it says to do from what it says not to do",
        )
