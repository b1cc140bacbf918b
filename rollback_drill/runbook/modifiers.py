"""What words say of a command besides what it does: that it is only done sometimes, that it must
not be done, or something that nobody here understands.
"""

from __future__ import annotations

import re

from rollback_drill.runbook.titles import bare

_NEEDED = r"(?:needed|necessary|required|applicable|any|present|enabled|in use)\b"
_ELSEWHERE = (
    r"(?:staging|stage|dev|development|test(?:ing)? (?:systems?|environments?)"
    r"|qa|uat|sandbox|non-?prod\w*|local|localhost|"
    r"windows|macos|mac os|osx)"
)
"""Where a rollback in production is not performed."""
_EDITION = (
    r"(?:multi-?sites?|(?:single|multi)[- ]tenants?|self-?hosted|self-?managed|"
    r"enterprise|community|premium|sharded|clustered|stand-?alone|on-?prem\w*|legacy|air-?gapped|"
    r"high[- ]availability|arm64|ipv6|fips)"
)
"""What only some installations are."""
# "check if", "make sure whether": no condition of what is done.
_ASKED = "".join(
    rf"(?<!\b{word} )"
    for word in (
        "check", "checks", "see", "verify", "test", "know", "tell", "determine", "out", "ask",
        "confirm", "decide", "as", "even", "checking", "understand",
    )
)  # fmt: skip
_AT_ITS_END = (
    r"(?! (?:done|finished|ready|complete\w*|prompted|asked|that|this|it|you are done)\b"
    r"| (?:the |all )?(?:\w+ ){1,3}(?:is|are|has|have) (?:been )?(?:done|finished|complete\w*"
    r"|ready|up|"
    r"running|healthy|stopped|drained|restored)\b)"
)
# Of a place with an article everybody has one: "on the primary,", "in each zone,".
_PLAIN_PLACE = (
    r"(?:the|this|these|that|each|every|all|both|your|our|a|an|one|any|prod|production|order|"
    r"addition|parallel|case|short|summary|general|total|most|another|about|at|least|once|"
    r"roll-?backs?|my|its|their|some|which|whom|what|everything|psql|mysql|bash|git|"
    r"(?:servers?|hosts?|nodes?|clients?|replicas?|brokers?|machines?|workers?)(?=,))\b"
)
CONDITION = re.compile(
    r"(?:(?:then|or|and|only)[ ,]+|\w+: )*(?:if|when|in case|unless|where|"
    r"should(?! (?:take|be|see|show|return|now|all|not|answer|respond))|"
    r"in (?:the )?(?:event|unlikely|rare|case)\b|in (?:an |a |real |true )*emergenc\w*|"
    r"provided\b|assuming\b|supposing\b|as long as\b|so long as\b|given that\b|"
    r"for (?:a |an |the )?\w+ (?:only|deployments?|environments?))\b"
    rf"|(?:on|in|for|with|under|as) (?!{_PLAIN_PLACE}|[\d`\"“'/])[^,:;.()]{{2,40}}, (?!and\b|or\b)"
    r"|(?:before|since|until|prior to|from|as of|on|in|for|with|up to) "
    r"(?:versions? |releases? )?(?:[<>≤≥]=? ?)?v?\d+\.[\dx]+\b"
    rf"|(?:(?:on|in|for|with) )?{_EDITION}(?: \w+){{0,2}}\s*(?:[:(\u2013\u2014-]|$)"
    rf"|.*[(\[](?:(?:on|in|for) )?{_EDITION}\b[^()\[\]]*[)\]]"
    rf"|(?:(?:on|in|for|from) )?(?:the |your )?{_ELSEWHERE}\b"
    r"(?: (?:environments?|clusters?|servers?|hosts?|users?|machines?|systems?))?\W*$"
    rf"|.*[(\[](?:(?:on|in|for) )?{_ELSEWHERE}\b[^()\[\]]*[)\]]"
    rf"|.*\b(?:only if|only when|(?:if|when|where) {_NEEDED}|as (?:needed|required"
    rf"|appropriate)\b|optional)"
    r"|.*[(\[](?:only|if|when|unless|in case|where)\b"
    r"|.*[,;\u2013\u2014] (?:if|unless|only|in case)\b"
    rf"|.*(?<![\w-]){_ASKED}(?<!what )if\b(?!-| (?:it |not |already )*exists?\b)"
    r"|.*\b(?:unless|in case|whenever|provided that|in doubt)\b"
    rf"|.*\w (?<!check )(?<!know )(?<!see )(?<!only )(?<!done )when\b(?!-)(?=.*\w){_AT_ITS_END}"
    r"|.*\b(?:skip (?:this|it|if|when|unless)|(?:only|not) (?:needed|required|necessary)|except"
    r"|excluded|"
    r"depending on|one of (?:these|those|the following)|one of\W*$)"
    r"|.*\bonly (?:for|on|with|after|once|applies|relevant|affects|possible)\b"
    r"|.*\b(?:needed|required|necessary|relevant|applicable|applies|meant|intended|reserved) "
    r"(?:only )?(?:after|for|when|on|by|in|to|with)\b"
    r"|.*\b(?:sometimes|rarely|occasionally|at your discretion|feel free|last resort|worst case|"
    r"break[ -]glass|(?:you|we|it) (?:could|may|might)|can also|could also|may (?:need|want"
    r"|have) to)\b"
    r"|.*\binstead\W*$|.*\w\?[)\]]?[\s:,]+\w|.*\bnot (?:before|until|yet|earlier)\b"
    r"|.*\b(?:tomorrow|(?:the )?(?:next|following) (?:business |working )?(?:day|morning|week)"
    r"|(?:a |some |\d+ )(?:days?|weeks?) later"
    r"|after (?:about |at least )?(?:a |a few |some |several |\d+ )"
    r"(?:hours?|days?|weeks?|months?))\b"
    r"|.*[(\[][^()\[\]]* (?:deployments?|installations?|setups?|customers?|editions?)[)\]]"
    r"|.*(?<!\bread)(?<![\w-]read) only(?:\W*$|\s*[:,;)\u2013\u2014])"
    r"|(?:.*[(\[])?(?!read\b)\w+(?: \w+){0,3} only[)\]]",
    re.IGNORECASE,
)
"""Matches what stands before something that is only done under a condition."""
AGAINST = re.compile(
    r".*\b(?:do not|don't|never|avoid|must not|should not|not recommended|instead of|rather than|"
    r"no longer|deprecated|wrong way|roll forward|re-?activate|re-?enable it|used to|formerly|"
    r"in the past|historically|the old way|legacy way|"
    r"(?:after|once|when) (?:the |a |you have a )?(?:\w+ )?(?:issue|fix|bug|problem|root cause|"
    r"hot-?fix|patch))\b",
    re.IGNORECASE,
)
"""Matches what speaks against what follows it."""
OF_THE_STEP = re.compile(
    r"(?:this (?:step |part |section |command |one )?(?:is|applies|should|needs|can|must|only"
    r"|has)\b|"
    r"only\b|skip\b|(?:do|run|perform|execute|take) (?:this|these|it)\b|not (?:needed|required)\b)",
    re.IGNORECASE,
)
"""Matches the begin of a sentence that is about the whole step in which it stands."""
_SHORT = 3  # words of a label that only names what follows
_ONE_AFTER_ANOTHER = re.compile(
    r"^(?:(?:then|now|next|also|finally|lastly|first|second|third|afterwards?|after that|please"
    r"|and|"
    r"again|immediately|quickly|manually|safely|gracefully|simply|just|at the end|in the end|"
    r"once done|when done)[,:]?\s+)+",
    re.IGNORECASE,
)
_SAYS_SO = re.compile(
    r"(?:the (?:following|next|commands?|below|steps?|previous|old)|this|these|that|those|here"
    r"|it|its|"
    r"following|commands?|we|you|to|by|via|using|from|after|once|before|all|each|every|both|\w+ing|"
    rf"(?:with|on|in|for|at|as) (?={_PLAIN_PLACE})|"
    r"requires? (?:\w+ )?(?:approval|sign-?off))\b",
    re.IGNORECASE,
)
_ALSO_DOES = re.compile(
    r"(?:use|add|attach|detach|mount|unmount|bounce|recycle|call|invoke|change|cherry-?pick|"
    r"decompress|unpack|unzip|extract|download|upload|transfer|evict|export|import|flip|toggle|"
    r"force|generate|give|grant|revoke|go|load|unload|look|make|merge|obtain|post|print|show|"
    r"display|publish|purge|query|read|reboot|rejoin|renew|replace|replay|rewind|rotate|sign|"
    r"suspend|sync|write|drop|pin|unpin|activate|deactivate|bump|abort|finish|complete|let|"
    r"re-?attach|re-?connect|re-?apply|re-?import|re-?set|truncate|rebase|scale|bring|quiesce|"
    r"release|reconfigure|configure|adjust|upgrade|lower|raise|increase|decrease|return|invalidate|"
    r"hand|keep|leave|mute|unmute|silence|unsilence|recover|re-?sync|prepare|authenticate|login|"
    r"rewrite|patch|uninstall|help|try|sanity|quick)\b",
    re.IGNORECASE,
)

_NAMES_COMMANDS = re.compile(
    r"\b(?:commands?|steps?|script|procedure|instructions?)$", re.IGNORECASE
)


def is_understood(label: str) -> bool:
    """Whether a label says plainly that what stands below it is to be done: it names it in a few
    words, or is a sentence that begins as instructions do.
    """
    name = _ONE_AFTER_ANOTHER.sub("", bare(label))
    if len(name.split()) <= _SHORT or ":" in name:
        return True
    return bool(_SAYS_SO.match(name) or _ALSO_DOES.match(name) or _NAMES_COMMANDS.search(name))


def without_order(label: str) -> str:
    """Return `label` without the words that only say what comes first: “Then”, “Finally,”."""
    return _ONE_AFTER_ANOTHER.sub("", bare(label))
