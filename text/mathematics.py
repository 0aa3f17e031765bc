"""Mathematics: operators between numbers and letters, powers, comparisons."""

import re

from text.number_words import ordinal
from text.rules import Rule

_OPERATORS = {
    **{"+": "plus", "=": "equals", "==": "equals", "\u00d7": "times", "\u00f7": "divided by"},
    **{"\u00b1": "plus or minus", "<": "is less than", ">": "is greater than"},
    **{"<=": "is at most", "\u2264": "is at most", ">=": "is at least", "\u2265": "is at least"},
    **{"!=": "is not equal to", "\u2260": "is not equal to", "\u2248": "is about"},
    **{"^": "to the power of"},
}
_BEFORE_NUMBERS = {
    **{"<": "less than", ">": "more than", "\u2264": "at most", "\u2265": "at least"},
    **{"~": "about", "\u2248": "about", "\u00b1": "plus or minus"},
}
_POWERS = {"\u00b2": "squared", "\u00b3": "cubed", "2": "squared", "3": "cubed"}
_OPERAND = r"(?:\d[\d,.]{0,30}[a-z]?(?![A-Za-z])|[A-Za-z](?![A-Za-z]))"


def _operator(match: re.Match[str]) -> str:
    return f" {_OPERATORS[match.group(1)]} "


def _minuses(match: re.Match[str]) -> str:
    """Say the minus signs of a formula, which only its equals sign tells from hyphens."""
    return re.sub(r"(?<=\w) ?- ?(?=\w)", " minus ", match.group())


def _power(match: re.Match[str]) -> str:
    exponent = match.group(1)
    return f" {_POWERS.get(exponent) or 'to the ' + ordinal(exponent) + ' power'}"


COMPARISONS = (
    Rule(
        r"(?<![^\s(])(?<!\w )([<>~\u2248\u2264\u2265\u00b1]) ?(?=\d)",
        lambda match: f"{_BEFORE_NUMBERS[match.group(1)]} ",
        trigger="<>~\u2248\u2264\u2265\u00b1",
    ),
)
"""Signs before a number, which go first: what follows may be an amount or a measure."""

RULES = (
    Rule(r"(?<=[A-Za-z])/(?=[A-Za-z])", " slash ", trigger="/"),
    Rule(rf"(?:(?<!\w){_OPERAND} ?[-+*/] ?){{1,8}}{_OPERAND} ?=", _minuses, trigger="="),
    Rule(rf"= ?{_OPERAND}(?: ?[-+*/] ?{_OPERAND}){{1,8}}", _minuses, trigger="="),
    Rule(
        r"(?<=[\w)]) ?([=!<>]=|[=\u2248\u2260\u2264\u2265\u00f7\u00b1\u00d7]) ?(?=[-+\w(.\u221a])",
        _operator,
        trigger="=\u2248\u2260\u2264\u2265\u00f7\u00b1\u00d7",
    ),
    Rule(r"(?<=[\d)]) ?([<>]) ?(?=[-\d(.])", _operator, trigger="<>"),
    Rule(r"(?<=\w) ([<>]) (?=\w)", _operator, trigger="<>"),
    Rule(r"(?<=\w)\^(\d{1,3})(?![\d.])", _power, trigger="^"),
    Rule(r"(?<=\w)([\u00b2\u00b3])", _power, trigger="\u00b2\u00b3"),
    Rule(r"(?<=[\w)]) ?([+^]) ?(?=[\d(]|[A-Za-z](?![A-Za-z]))", _operator, trigger="+^"),
    Rule(r"(?<=\d)(?: -|- )(?=\d)", " minus "),
    Rule(r"(?<=\d) ?\* ?(?=\d)", " times ", trigger="*"),
    Rule(r"\u221a ?(?=[\w(])", " the square root of ", trigger="\u221a"),
)
