"""British spelling to American, which the pronunciation dictionary knows."""

import re

from text.rules import Rule

_OUR = (
    "arb|arm|behavi|cand|clam|col|demean|endeav|fav|ferv|flav|glam|harb|hon|hum|lab|neighb|od|parl"
    "|ranc|rig|rum|sav|sav|splend|tum|val|vap|vig"
)
_RE = {
    "centre": "center",
    "metre": "meter",
    "litre": "liter",
    "fibre": "fiber",
    "theatre": "theater",
}
_KEEP_ISE = (
    "advert|adv|ar|chast|circumc|compr|comprom|conc|cru|dem|desp|dev|disgu|enterpr|exc|exerc|expert"
    "|franch|improv|inc|merchand|no|parad|pra|prec|prem|prom|ra|rev|r|superv|surm|surpr|telev|treat|w"
    "|bru|appr|ap|po|pr|val|mort|pre|mayonna|liais"
)


def _respell(match: re.Match[str]) -> str:
    stem, rest = match.group(1), match.group(2)
    return f"{stem}z{rest[1:]}"


RULES = (
    Rule(
        rf"(?i)\b((?:{_OUR})o)u(?=r(?:s|ed|ing|ful|able|ably|ite|ites|hood|hoods|ly|less|er|ers)?\b)",
        r"\1",
        trigger="u",
    ),
    Rule(
        r"(?i)\b((?:kilo|centi|milli)?(?:met|lit)|cent|fib|theat|calib|spect|somb|lust)re(s?)\b",
        r"\1er\2",
        trigger="r",
    ),
    Rule(
        rf"\b(?!(?:{_KEEP_ISE})is|[a-z]+wise)([a-z]{{3,}}i)(s(?:e|ed|es|er|ers|ing))\b",
        _respell,
        trigger="s",
    ),
    Rule(r"\b([A-Za-z]{3,}i)(sation(?:s|al)?)\b", _respell, trigger="s"),
)
