"""What the headings of a runbook of any form are about, by their words.

The words are English; a team's own language stands in `[runbook.words]` of its staging file.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from enum import StrEnum

from rollback_drill.runbook.modifiers import AGAINST, CONDITION
from rollback_drill.runbook.titles import AT_TIME, STEP, bare


class Kind(StrEnum):
    """What a heading is about."""

    ROLLBACK = "rollback"
    TRIGGERS = "triggers"
    PREPARATION = "preparation"
    VERIFICATION = "verification"
    AFTERWARDS = "afterwards"
    AUTOMATIC = "automatic"
    CONDITION = "if"
    AGAINST = "not"
    FORWARD = "forward"
    TALK = "talk"
    OTHER = ""


_BACK = (
    r"\broll(?:ing|ed|s)?[ -]?backs?\b|\brevert|\brestor|\bundo|\bback(?:ing)?[ -]?out\b"
    r"|\bdown migration"
    r"|\bgo(?:ing)? back to (?:the |a |an )?(?:previous|old|last|earlier|prior)\b"
    r"|\bsw(?:itch|ap)(?:p?ing)? back\b|\bfail(?:ing)?[ -]?back\b|\bdowngrad|\bkill[ -]?switch\b"
    r"|\bpoint-in-time recovery\b|\brecovery (?:procedure|plan|runbook)\b"
    r"|^abort(?:ing)? |\b(?:canary|deploy(?:ment)?|release|migration|rollout) abort\b"
)
_OLD = (
    r"(?:\broll(?:ing|ed|s)?[ -]?backs?\b|\brevert|\b(?:previous|prior|old|older|last|stable|known|"
    r"earlier|former|good)\b)"
)
"""What the version is called that a rollback goes back to."""
# In this order: the first that is found decides.
_ENGLISH: tuple[tuple[Kind, str], ...] = (
    (Kind.AUTOMATIC, r"\bautomat(?:ic|ically|ed)\b"),
    (
        Kind.VERIFICATION,
        r"\b(?:success|exit|acceptance|completion|recovery) criteria\b"
        r"|^done(?: when)?\W*$|^done when\b"
        r"|^definition of (?:done|success)|^success looks like|\bsign-?off\b",
    ),
    (
        Kind.FORWARD,
        r"^(?:undo|revert|revers|cancel)\w* (?:the |a |this )?roll-?backs?\b"
        rf"|^(?!.*{_OLD})(?:.*\broll(?:ing)?[ -]?forward"
        r"|.*\bre-?(?:deploy|releas)\w*\b.*\b(?:fix|hot-?fix|new|again|next|corrected|patch)"
        r"|re-?enabling\b|.*\bre-?enable (?:the |a )?(?:feature|flag|new|release|version)"
        r"|.*\bdeploy\w* (?:the |a )?(?:fix|hot-?fix|patch|corrected)"
        r"|(?:turn|switch)\w* (?:it|the (?:flag|feature|switch|kill[ -]?switch)\b.*) "
        r"(?:on again|back on)\b)",
    ),
    (
        Kind.AGAINST,
        r"^(?:do not|don't|never|avoid)\b|\b(?:does not|doesn't|not to roll|not rolled back)\b"
        r"|^when not\b|\bwhat (?:this|is|not)\b",
    ),
    (
        Kind.TALK,
        r"^(?:overview|purpose|introduction|background|summary|notes?|references?|related|cross|"
        r"contacts?|emergency contacts?|escalation|limitations?|guard ?rails?|prevent|"
        r"deployment (?:history|architecture)|scope|glossary|faq|change ?log|see also|"
        r"ground truth|trust boundary|tl;?\W?dr\b|quick reference|cheat ?sheet|useful |"
        r"at a glance|real timing|measured|lessons|best practices|history|"
        r"decision matrix|revision history|document|table of contents|roles?\b)"
        r"|\b(?:timeline|strategy|safety|principles?|rehears|drill|troubleshoot|"
        r"trouble-shoot|prevention|considerations?|policy)"
        r"|\b(?:report|message|communication|incident|slack|e-?mail) template|^templates?\b"
        r"|^how .*\bworks?\b|/ escalation|^(?:test|practic|exercis)\w* (?:the |your |a |our )?roll"
        r"|^(?:why|reasons)\b",
    ),
    (
        Kind.TRIGGERS,
        r"\bwhen (?:to|(?:should|do|must|would|can) (?:we|you|i)) (?:roll|revert|undo|use|abort)"
        r"|^when\W*$|\btriggers?\b"
        r"|\b(?:roll-?back|back-?out|abort|go ?/ ?no[- ]go|trigger|decision) "
        r"(?:criteria|conditions?|thresholds?)"
        r"|\bsymptoms?\b"
        r"|\bif roll-?back is needed",
    ),
    (
        Kind.PREPARATION,
        r"^pre-?roll|\bbefore (?:you|roll|any|each|start|begin)|prerequisite|pre-?conditions?\b"
        r"|pre-?flight|^preparation|^before\W*$|^inputs?$|^immediate assessment",
    ),
    (
        Kind.VERIFICATION,
        r"\bverif(?:y|ication|ies)|\bvalidat|\bsmoke tests?\b|\bpost-?roll-?back (?:check|test)"
        r"|^after (?:any |the |a )?roll(?:ing|ed)?[ -]?back$|^health checks?\b|^confirm\b"
        r"|^make sure (?:it|that|the|all|everything)\b|^did it work\b"
        r"|\b(?:checks?|checklist|tests?) (?:\w+ )?after\b"
        r"|^after\b.*\b(?:checks?|checklist|tests?)$"
        r"|^post-?\w*(?:[ -]\w+)?[ -](?:checks?|checklist|tests?)\b|^checks?$"
        r"|^acceptance\b"
        r"|^how (?:do|can|will|would) (?:i|we|you) (?:know|tell|see|check)\b"
        r"|^(?:final|sanity|quick|closing) checks?\b",
    ),
    (
        Kind.AFTERWARDS,
        r"\bpost-?(?:roll|incident|mortem)|\bafter (?:any |the |a )?roll|\bfollow-? ?up|communicat"
        r"|^after\W*$|\bincident (?:report|note|review)"
        r"|\bevidence\b|\bnotif|\bclean-? ?up\b|\breporting\b",
    ),
    (
        Kind.CONDITION,
        r"^(?!.*[:\u2013\u2014] ?(?:the )?(?:roll-?back|roll back)\b)"
        r"(?:only )?(?:if|when|in case|should|unless|emergency: skip)\b"
        r"|\b(?:roll-?back|roll back|restore|it|this|that) (?:fails?|failed|failure|hangs|"
        r"gets stuck|(?:does not|doesn't|did not|didn't) work)\b",
    ),
    (
        Kind.ROLLBACK,
        rf"{_BACK}|\bprocedures?\b|^(?:execution )?steps\b"
        r"|^(?:during|execution|execute)\W*$|\brecovery steps",
    ),
)
_OPTION = re.compile(
    r"(?:option|method|variant|alternative|approach|scenario|level|plan|path|strategy|tier|case|"
    r"procedure)\s+(?:[a-z]|\d{1,2})\b",
    re.IGNORECASE,
)
_PART = re.compile(
    r"(?:phase|stage|part|task|action|step)(?:\s*#?\s*(?P<n>\d{1,3}(?:\.\d{1,3})?)|\s+[a-z]\b)"
    r"\s*[:.)\u2010-\u2015-]*\s*(?P<title>.*)",
    re.IGNORECASE,
)
_NUMBERED = re.compile(
    r"^\W*(?P<n>\d{1,3}(?:\.\d{1,3})?)(?:[.):]|\ufe0f?\u20e3)?\s+(?P<title>\S.*)"
)
_PLATFORMS = (
    r"docker(?:[ -]compose|[ -]swarm)?|kubernetes|k8s|helm|kubectl|kustomize|"
    r"systemd|ecs|eks|gke|aks|heroku|vercel|netlify|railway|render|aws|gcp|azure|pm2|bare metal|"
    r"terraform|argo ?cd|nomad|fly(?:\.io)?|cloud run|lambda|supervisord?|podman|"
    r"openshift|linux"
)
_VIA = r"(?:or,? )?(?:on|using|with|via|for|plain)"
_PLATFORM = re.compile(rf"(?:{_VIA} )?(?:{_PLATFORMS})\b", re.IGNORECASE)
_PLATFORM_ALONE = re.compile(
    rf"(?:{_VIA} )?(?:the )?(?:{_PLATFORMS})"
    r"(?: (?:users?|setups?|deployments?|hosts?|clusters?|cli))?\W*",
    re.IGNORECASE,
)
_DOES = re.compile(
    r"(?:stop|start|re-?start|restore|check|verify|scale|deploy|re-?deploy|find|identify|"
    r"shift|view|re-?enable|unlock|lock|snapshot|dump|rename|copy|tag|re-?tag|unfreeze|"
    r"undrain|unpause|untaint|uncordon|warm|close|clean|mark|note|move|"
    r"list|perform|execute|run|roll|revert|switch|swap|select|choose|assess|notify|inform|capture|"
    r"record|save|back up|backup|take|drain|disable|enable|enter|leave|exit|update|set|"
    r"reset|re-?build|"
    r"build|pull|push|fetch|checkout|check out|locate|determine|establish|confirm|test|"
    r"monitor|watch|"
    r"clear|flush|apply|delete|remove|prevent|re-?point|point|re-?verify|resume|pause|"
    r"freeze|open|get|"
    r"announce|tell|put|bring|turn|promote|re-?index|migrate|downgrade|undo|document|"
    r"log in|connect|"
    r"ssh|cd|install|re-?install|re-?load|validate|wait|terminate|kill|block|allow|"
    r"re-?create|create|repeat|re-?run|re-?try|review|ensure|make sure|hit|smoke|register|commit|"
    r"send|contact|escalate|page|trigger|dispatch|cancel|cordon|unblock|inspect|compare|edit)\b",
    re.IGNORECASE,
)
_DOUBTFUL = re.compile(
    r"(?:trouble-?shoot|examples?\b|optional|appendix|for reference|to undo\b|"
    r"undo (?:this|that|it)\b|"
    r"not recommended|deprecated|obsolete|rehears)",
    re.IGNORECASE,
)
_DEPLOYS = re.compile(
    rf"(?!.*{_OLD})(?:deploy(?:ing|ments?)?|releas(?:e|ing)|roll(?:ing)?[ -]?out|upgrad(?:e|ing)|"
    r"go(?:ing)?[ -]live|launch(?:ing)?|ship(?:ping)?)\b"
    r"(?! (?:history|logs?|status|ids?|notes?|window|freeze|architecture|to roll|being))",
    re.IGNORECASE,
)
_DEPLOYS_AND_BACK = re.compile(
    r"\b(?:deploy|releas)\w*\b.*(?:&|\band\b|\bor\b|/|\+).*\broll"
    r"|\broll.*(?:&|\band\b|\bor\b|/|\+).*\b(?:deploy|releas)",
    re.IGNORECASE,
)
_MOST_LETTERS = 300  # of a heading that are looked at
_WORDS = ("rollback", "triggers", "preparation", "verification", "afterwards", "if", "not")
WORD_KINDS = (*_WORDS, "step", "option", "talk")
"""What words of another language can be given for."""
NEEDED = ("rollback", "if", "not")
"""Without these nobody could tell what is to be done from what is not."""


class Kinds:
    """Headings by what they are about, in English and in the words of `more`, by kind."""

    def __init__(self, more: Mapping[str, Sequence[str]] | None = None) -> None:
        more = more or {}
        self._patterns = [
            (kind, re.compile(_joined(pattern, more.get(kind.value, ())), re.IGNORECASE))
            for kind, pattern in _ENGLISH
        ]
        self._back = re.compile(_joined(_BACK, more.get("rollback", ())), re.IGNORECASE)
        self._conditions = _starts(more.get("if", ()), before=r"(?:.*[(\[,;:\u2013\u2014.] ?)?")
        self._against = _contains(more.get("not", ()))
        self._steps = _starts(more.get("step", ()), r"\s*#?\d{1,3}\s*\W*\s*(?P<title>.*)")
        self._steps_behind = (
            _starts((), "")
            if not more.get("step")
            else re.compile(
                rf"\d{{1,3}}\W?\s?(?:{_alternatives(more['step'])})\W*\s*(?P<title>.*)",
                re.IGNORECASE,
            )
        )
        self._options = _starts(more.get("option", ()), r"\s*(?:\d{1,2}|[a-z])\b")

    def of(self, title: str) -> Kind:
        """Return what a heading is about."""
        name = bare(title[:_MOST_LETTERS])
        for kind, pattern in self._patterns:
            if pattern.search(name):
                if kind is Kind.ROLLBACK and _DOUBTFUL.match(name):
                    return Kind.OTHER
                return kind
        return Kind.CONDITION if self.conditional(title) else Kind.OTHER

    def about_rollback(self, title: str) -> bool:
        """Whether a title says that what it stands above is about rolling back."""
        return bool(self._back.search(title))

    def deploys(self, title: str) -> bool:
        """Whether a heading is about bringing out what is new."""
        name = self.step(title) or self.numbered(title) or title
        return bool(_DEPLOYS.match(bare(name)))

    def about_both(self, title: str) -> bool:
        """Whether a title says that it is about deploying and about rolling back."""
        return bool(_DEPLOYS_AND_BACK.search(title[:_MOST_LETTERS]))

    def option(self, title: str) -> bool:
        """Whether it begins one of several ways, such as “Option A: …”."""
        name = bare(title)
        return bool(_OPTION.match(name) or self._options.match(name))

    def step(self, title: str) -> str | None:
        """Return the title of a step or phase without its number; None for another heading."""
        name = bare(title)
        match = STEP.match(name) or _PART.match(name)
        match = match or self._steps.match(name) or self._steps_behind.match(title.strip())
        return (match["title"].strip(" *:") or name) if match else None

    def numbered(self, title: str) -> str | None:
        """Return the title of a heading such as “2. Switch” without its number, None without."""
        due = AT_TIME.match(title)
        if due:
            return title[due.end() :].strip(" *:")
        match = _NUMBERED.match(title)
        return match["title"].strip(" *:") if match else None

    def platform(self, title: str) -> bool:
        """Whether a heading names where something runs, as one of several ways."""
        return bool(_PLATFORM.match(bare(title)))

    def platform_alone(self, label: str) -> bool:
        """Whether a label names where something runs, and nothing else: “On Kubernetes:”."""
        return bool(_PLATFORM_ALONE.fullmatch(bare(label)))

    def does(self, title: str) -> bool:
        """Whether a heading says what to do, as a step does."""
        return bool(_DOES.match(bare(title)))

    def conditional(self, text: str) -> bool:
        """Whether what follows `text` is only done under a condition that somebody must judge."""
        name = bare(text)
        return bool(CONDITION.match(name) or self._conditions.match(name))

    def against(self, text: str) -> bool:
        """Whether `text` speaks against what follows it."""
        name = bare(text)
        return bool(AGAINST.match(name) or self._against.match(name))


def _alternatives(words: Sequence[str]) -> str:
    return "|".join(re.escape(one) for one in sorted(words, key=len, reverse=True))


def _joined(pattern: str, words: Sequence[str]) -> str:
    return f"{pattern}|{_alternatives(words)}" if words else pattern


_NEVER = re.compile(r"(?!)(?P<title>)")


def _starts(words: Sequence[str], rest: str = "", before: str = "") -> re.Pattern[str]:
    if not words:
        return _NEVER
    return re.compile(rf"{before}(?:{_alternatives(words)}){rest}", re.IGNORECASE)


def _contains(words: Sequence[str]) -> re.Pattern[str]:
    return re.compile(rf".*(?:{_alternatives(words)})", re.IGNORECASE) if words else _NEVER
