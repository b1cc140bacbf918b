"""What a message says, by its words: what it affirms, claims of data, and leaves out. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping

# Within the three words before it, these turn a word into its contrary, or into a hope.
_NOT = re.compile(
    r"(?:\b(?:not|never|no|cannot|(?:is|are|was|ca|wo|has|have)n['’]t"
    r"|until|unless|when|once|if|to be|will be|should be|soon)\s+(?:\w+\s+){0,2})$",
    re.IGNORECASE,
)
_LOSS = r"(?:los[st]\w*|damage[ds]?|corrupt\w*|missing|affected|deleted)"
_DATA = r"(?:data|writes?|changes?|records?|rows?|bookings?|orders?|entries|information)"
_NO_LOSS = re.compile(
    rf"\b(?:{_DATA} {_LOSS} *[:=] *(?:none|no|0|nothing)\b"
    rf"|no(?:ne of (?:your|the|our))? (?:\w+ )?{_DATA}(?: \w+){{0,2}} {_LOSS}"
    r"|no (?:\w+ ){1,3}(?:was|were|is|are|has been|have been) (?:lost|missing|deleted|damaged)"
    rf"|no (?:\w+ )?{_DATA}[- ]{_LOSS}|no loss of (?:\w+ )?{_DATA}"
    rf"|without (?:any )?(?:loss of (?:\w+ )?{_DATA}|(?:{_DATA} )?{_LOSS})"
    rf"|nothing (?:was|is|has been|got) {_LOSS}"
    rf"|(?:all |your |our |customer )+{_DATA}"
    r" (?:is|are|was|were|remains?|stays?|has been|have been) (?:\w+ ){0,2}"
    r"(?:safe|intact|complete|secure|kept|preserved|there|unaffected|untouched|unharmed)"
    rf"|{_DATA} (?:is|are|was|were|has been|have been)(?: not|n['’]t) (?:\w+ )?{_LOSS})",
    re.IGNORECASE,
)
_DOWN = re.compile(
    r"\b(?:is|are|remains?|stays?|still|currently|temporarily)\b[^.;,\n]{0,40}?"
    r"\b(?:unavailable|down|unreachable|offline|out of service|in maintenance|interrupted)\b"
    r"|\b(?:not|n['’]t) (?:yet )?(?:available|back|restored|resolved|working|reachable)\b"
    r"|\bunresolved\b",
    re.IGNORECASE,
)
_UP = re.compile(
    r"\b(?:works? (?:as (?:usual|before|ever)|again|normally|fine|well)"
    r"|(?:is|are) (?:(?:fully|all) )?(?:operational|available|back|restored|up|well)"
    r"|all systems|no (?:known |current )?(?:problems?|issues?|incidents?|outages?))\b",
    re.IGNORECASE,
)
_HOPED = re.compile(
    r"\b(?:not|never|until|till|when|once|if|will|would|should|may|expect\w*|hope\w*|soon|before"
    r"|after|again as|let you know|tell you|work(?:ing)? (?:to|on))\b|n['’]t\b",
    re.IGNORECASE,
)
_NOBODY = re.compile(
    r"\b(?:nobody|no one|no (?:\w+ )?(?:customers?|users?|clients?|requests?)"
    r"|none of (?:you|our (?:customers|users|clients))) (?:was|were|is|are|has been|have been) "
    r"(?:affected|impacted|hit|concerned)\b"
    r"|\bno (?:customer )?impact\b|\bwithout (?:any )?impact\b",
    re.IGNORECASE,
)
_BACK_TO = re.compile(
    r"\b(?:roll(?:ed|ing)? back|revert(?:ed|ing)?|return(?:ed|ing)?|back|runs) (?:to|on) "
    r"(?:(?:release|version) )?`?(v?\d+(?:\.\d+)+(?:-[\w.]+)?)",
    re.IGNORECASE,
)


def affirms(text: str, pattern: str) -> bool:
    """Return whether `text` says what the regular expression says, and neither denies nor promises
    it: "unresolved", "not yet resolved" and "until it is resolved" do not say "resolved".
    """
    words = re.compile(rf"\b(?:{pattern})", re.IGNORECASE)
    return any(not _NOT.search(text[: one.start()]) for one in words.finditer(text))


def claims_no_loss(text: str) -> str:
    """Return the words by which `text` claims that no data is lost, "" when it does not."""
    said = _NO_LOSS.search(" ".join(text.split()))
    return said[0] if said else ""


def says_down(text: str) -> str:
    """Return the words by which `text` says that the service does not work, "" when it does not."""
    said = _DOWN.search(" ".join(text.split()))
    return said[0] if said else ""


def says_up(text: str) -> str:
    """Return the words by which `text` says that the service works, "" when it does not: neither
    denied nor hoped for in the same sentence.
    """
    for sentence in re.split(r"[.;!\n]\s", " ".join(f"{text} ".split("\n"))):
        said = _UP.search(sentence)
        if said and not _HOPED.search(sentence):
            return said[0]
    return ""


def says_nobody(text: str) -> str:
    """Return the words by which `text` says that nobody was affected, "" when it does not."""
    said = _NOBODY.search(" ".join(text.split()))
    return said[0] if said else ""


def back_to(text: str) -> list[str]:
    """Return the releases that `text` says are gone back to."""
    return [one.rstrip(".") for one in _BACK_TO.findall(" ".join(text.split()))]


def left_out(text: str, names: Iterable[str], facts: Mapping[str, str]) -> dict[str, str]:
    """Return which of the values called `names` are known and not in `text`, by name."""
    said = " ".join(text.split())
    missing = {}
    for name in names:
        value = " ".join(facts.get(name, "").split())
        if value and not re.search(rf"(?<![\w.]){re.escape(value)}(?!\w|\.\d)", said):
            missing[name] = value
    return missing
