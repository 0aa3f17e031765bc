"""Telephone and social security numbers, network addresses, and codes named as such."""

import re

from text.counting import precedes_plural
from text.number_words import cardinal, digits
from text.rules import START, Rule, text_before

_IS = r"(?: ?(?:is|was|no\.?|number|#|:|=)){0,2}"
_CALLS = "(?:call|dial|text|ring|phone)"
_CODED = (
    *("otp", "pin", "pass ?code", "pass ?word", "zip", "post ?code", "postal", "code", "key"),
    *("combination", r"i\.?d", "account", r"acct\.?", "confirmation", "reference", r"ref\.?"),
    *("tracking", "serial", "invoice", "order", "ticket", "case", "claim", "policy", "booking"),
    *("reservation", "receipt", "licen[cs]e", "permit", "badge", "cvv", "cvc", "routing", "member"),
    *("membership", "customer", "employee", "student", "passport", "part", "item", "docket"),
    *("patent", "sku", "extension", r"ext\.?", "hotline", "helpline", "emergency", "short code"),
)
# What stands before a code; the number is found first, since it is rarer than these words.
_BEFORE_CODE = re.compile(
    r"(?i)\b(?:(?:ending|ends|starts|starting) (?:in|with)|(?:p\.? ?o\.? |post office )?box"
    rf"|(?:{'|'.join(_CODED)})(?: code)?{_IS}|{_CALLS}(?:ed|ing)?(?: or {_CALLS})?"
    r"(?: \d{3}(?:,| or))*|phone:"
    r"|text(?: the word)? [\"']?[A-Z]{2,12}[\"']? to) ?$"
)
_VERBS = re.compile(r"(?i)\b(?:order|case|part|item|key|ticket|call|text|ring)(?:ed|ing)? $")
_BEFORE_LONG_CODE = re.compile(r"(?i)\b(?:no\.|number) $")
_GROUP = re.compile(r"[A-Za-z]+|\d+")


def _groups(match: re.Match[str]) -> str:
    """Say each group of digits by itself, with a short pause between the groups."""
    plus = "plus " if match.group().startswith("+") else ""
    groups = _GROUP.findall(match.group())
    return plus + ", ".join(_group(group, is_prefix=n < 2) for n, group in enumerate(groups))


def _group(group: str, *, is_prefix: bool) -> str:
    if is_prefix and re.fullmatch("[1-9]00", group):  # 1-800 is one, eight hundred
        return cardinal(group)
    return digits(group) if group.isdigit() else group


def _dotted(match: re.Match[str]) -> str:
    return " dot ".join(digits(group) for group in match.group().split("."))


def _named_code(match: re.Match[str]) -> str:
    """Say digit by digit what is named as a code, unless it counts: "order 500 parts"."""
    mark, number = match.groups()
    before = text_before(match, 40)
    is_long = len(number) > 4 and (mark or _BEFORE_LONG_CODE.search(before))
    is_verb = _VERBS.search(before) and precedes_plural(match.string, match.end())
    if is_verb or not (is_long or _BEFORE_CODE.search(before)):
        return match.group()
    return f"{'number ' if mark else ''}{digits(number)}"


RULES = (
    Rule(
        "extension",
        r"(?<=\d{3}[-. ]\d{4}),?(?: ?x ?|,? (?i:ext\.?|extension) )(?=\d{1,6}\b)",
        ", extension ",
    ),
    Rule(
        "North American telephone number",
        r"(?<![\w.+])(?:\+\d{1,3}[- .]?|1[- .])?(?:\(\d{3}\) ?-?|\d{3}[-. ])"
        r"\d{3}[-. ]\d{4}(?:-\d{1,4})?(?![\w-]|\.\d)",
        _groups,
    ),
    Rule(
        "freephone number in groups",
        rf"{START}(?:1[38]00 \d{{3}} \d{{3}}|0\d{{4}} \d{{6}})(?![\w-]| \d|\.\d)",
        _groups,
    ),
    Rule("international telephone number", r"(?<![\w.+])\+\d{8,15}(?!\w)", _groups),
    # Cards: four groups of four, or fifteen digits.
    Rule(
        "card number",
        rf"{START}(?:\d{{4}}(?:[ -]\d{{4}}){{3}}|3\d{{3}} \d{{6}} \d{{5}})(?![\w-]| \d)",
        _groups,
    ),
    Rule(
        "international telephone number in groups",
        r"(?<![\w.+])\+\d{1,3}(?:[ -](?:\(0\) ?)?\(?\d{1,5}\)?){2,5}(?![\w-]|\.\d)",
        _groups,
    ),
    Rule(
        "telephone number with area code",
        r"(?<![\w.+-])(?:\(0\d{1,4}\)|0\d{2,4}) \d{3,4} \d{3,4}(?![\w-]|\.\d)",
        _groups,
    ),
    Rule(
        "telephone number in letters",
        r"(?<![\w.+-])(?:1-)?8\d\d-(?=[\w-]*[A-Z])[A-Z\d]{1,7}(?:-[A-Z\d]{1,7}){0,4}\b",
        _groups,
    ),
    Rule("social security number", rf"{START}\d{{3}}-\d{{2}}-\d{{4}}(?![\w-])", _groups),
    Rule("ZIP code with its suffix", rf"{START}(?<!-)\d{{5}}-\d{{4}}(?![\w-])", _groups),
    Rule("local telephone number", rf"{START}(?<!-)[1-9]\d\d-\d{{4}}(?![\w-])", _groups),
    Rule("network address", rf"{START}\d{{1,3}}(?:\.\d{{1,3}}){{3}}(?![\w.]\d)", _dotted),
    Rule(
        "code named as such",
        rf"{START}(#?)(?<![\w-])(\d{{3,}}|\d{{2,}}(?:-\d+){{1,5}})(?![\w%-]|[,.:/]\d)",
        _named_code,
    ),
    Rule(
        "code after a star",
        r"(?<!\S)\*(\d{2,3})(#?)(?!\w)",
        lambda match: f"star {digits(match[1])}{' pound' if match[2] else ''}",
        trigger="*",
    ),
    Rule(
        "star key",
        r"(?<!\S)(\()?\*(?=[.,;!?)]| (?:key|and|or|to|for|then|followed)\b|$)",
        r"\1star",
        trigger="*",
    ),
)
