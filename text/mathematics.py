"""Mathematics: operators between numbers and letters, powers, comparisons."""

import re

from text.number_words import decimal, ordinal, signed
from text.rules import START, Rule

_OPERATORS = {
    **{"+": "plus", "=": "equals", "==": "equals", "\u00d7": "times", "\u00f7": "divided by"},
    **{"\u00b1": "plus or minus", "^": "to the power of"},
}
_COMPARISONS = {
    **{"<": "less than", ">": "greater than", "\u2248": "approximately equal to"},
    **dict.fromkeys(("<=", "\u2264"), "less than or equal to"),
    **dict.fromkeys((">=", "\u2265"), "greater than or equal to"),
    **dict.fromkeys(("!=", "\u2260"), "not equal to"),
}
# The same before a number that is compared with nothing: "costs >$5".
_BEFORE_NUMBERS = {
    **_COMPARISONS,
    **{">": "more than", "~": "about", "\u2248": "approximately", "\u00b1": "plus or minus"},
}
_POWERS = {"\u00b2": "squared", "\u00b3": "cubed", "2": "squared", "3": "cubed"}
_FUNCTIONS = {
    **{"sin": "sine", "cos": "cosine", "tan": "tangent", "log": "log", "ln": "natural log"},
    **{"exp": "exponential", "sqrt": "square root"},
}
_OPERAND = r"(?:\d[\d,.]{0,30}[a-z]?(?![A-Za-z])|[A-Za-z](?![A-Za-z]))"


def _operator(match: re.Match[str]) -> str:
    sign = match.group(1)
    return f" {_OPERATORS.get(sign) or 'is ' + _COMPARISONS[sign]} "


def _minuses(match: re.Match[str]) -> str:
    """Say the minus signs of a formula, which only its equals sign tells from hyphens."""
    return re.sub(r"(?<=\w) ?- ?(?=\w)", " minus ", match.group())


def power_words(exponent: str) -> str:
    """Return " squared", " to the tenth power" or " to the minus three"."""
    if exponent[0] in "+-":
        return f" to the {signed(exponent)}"
    return f" {_POWERS.get(exponent) or 'to the ' + ordinal(exponent) + ' power'}"


def _power(match: re.Match[str]) -> str:
    return power_words(match.group(1))


def _scientific(match: re.Match[str]) -> str:
    number, exponent = match.groups()
    return f"{decimal(number)} times ten to the {signed(exponent)}"


COMPARISONS = (
    Rule("arrow", r" ?(?:-{1,2}|=)> ?(?=\w)", " to ", trigger=">"),
    Rule(
        "sign before a number",
        r"(?<![^\s(])(?<!\w )([<>!]=|[<>~\u2248\u2260\u2264\u2265\u00b1]) ?(?=-?[\d$£€])",
        lambda match: f"{_BEFORE_NUMBERS[match.group(1)]} ",
        trigger="<>!~\u2248\u2260\u2264\u2265\u00b1",
    ),
    Rule(
        "times between factors",
        r"(?<=\d) ?[x\u00d7] ?(?=10\^|(?:\d[\d.,]{0,20} ?[x\u00d7] ?){0,4}\d[\d.,]{0,20} ?=)",
        " times ",
        trigger="x\u00d7",
    ),
    Rule(
        "divided by before a result",
        r"(?<=\d) / (?=\d[\d.,]{0,20} ?=)",
        " divided by ",
        trigger="/",
    ),
    Rule(
        "scientific notation with e",
        rf"{START}(\d+(?:\.\d+)?)e([-+]?\d{{1,3}})(?!\w|\.\d)",
        _scientific,
    ),
    Rule(
        "scientific notation with E",
        rf"{START}(\d+\.\d+|\d+(?=E[-+]))E([-+]?\d{{1,3}})(?!\w|\.\d)",
        _scientific,
        trigger="E",
    ),
)
"""Signs before a number, and products of them, which go first: what follows may be an amount or a
measure, and an x between two numbers the size of something."""

RULES = (
    Rule("number over letter", r"(?<=\b\d)/(?=[a-z]\b)", " over ", trigger="/"),
    Rule("letter over number", r"(?<=\b[a-z])/(?=\d)", " over ", trigger="/"),
    # TCP/IP, I/O; words say their stroke.
    Rule("stroke between initials", r"\b([A-Z]{1,5})/(?=[A-Z]{1,5}\b)", r"\1 ", trigger="/"),
    Rule("stroke between words", r"(?<=[A-Za-z])/(?=[A-Za-z])", " slash ", trigger="/"),
    Rule(
        "minus before an equals sign",
        rf"(?:(?<!\w){_OPERAND} ?[-+*/] ?){{1,8}}{_OPERAND} ?=",
        _minuses,
        trigger="=",
    ),
    Rule(
        "minus after an equals sign",
        rf"= ?{_OPERAND}(?: ?[-+*/] ?{_OPERAND}){{1,8}}",
        _minuses,
        trigger="=",
    ),
    Rule(
        "operator",
        r"(?<=[\w)]) ?([=!<>]=|[=\u2248\u2260\u2264\u2265\u00f7\u00b1\u00d7]) ?(?=[-+\w(.\u221a])",
        _operator,
        trigger="=\u2248\u2260\u2264\u2265\u00f7\u00b1\u00d7",
    ),
    Rule(
        "less or greater between numbers",
        r"(?<=[\d)]) ?([<>]) ?(?=[-\d(.])",
        _operator,
        trigger="<>",
    ),
    Rule(
        "less or greater after a letter",
        r"(?<=\b[A-Za-z]) ?([<>]) ?(?=-?\.?\d)",
        _operator,
        trigger="<>",
    ),
    Rule("less or greater between words", r"(?<=\w) ([<>]) (?=\w)", _operator, trigger="<>"),
    Rule("factorial", r"(?<=\d)!(?= ?[-=+*/])", " factorial", trigger="!"),
    Rule(
        "named function",
        rf"\b({'|'.join(_FUNCTIONS)})\((\w{{1,6}})\)",
        lambda match: f"{_FUNCTIONS[match[1]]} of {match[2]}",
        trigger="(",
    ),
    Rule("function of a letter", r"\b([fgh])\(([a-z]|-?\d{1,6})\)", r"\1 of \2", trigger="("),
    Rule(
        "product of letters",
        r"\b([a-z])([a-z])(?=[\u00b2\u00b3^])",
        r"\1 \2",
        trigger="\u00b2\u00b3^",
    ),
    Rule("power", r"(?<=\w)\^([-+]?\d{1,3})(?!\d|\.\d)", _power, trigger="^"),
    Rule("square or cube", r"(?<=\w)([\u00b2\u00b3])", _power, trigger="\u00b2\u00b3"),
    Rule(
        "plus or power between operands",
        r"(?<=[\w)]) ?([+^]) ?(?=[\d(]|[A-Za-z](?![A-Za-z]))",
        _operator,
        trigger="+^",
    ),
    Rule("minus between numbers", r"(?<=\d)(?: -|- )(?=\d)", " minus "),
    Rule("times between numbers", r"(?<=\d) ?\* ?(?=\d)", " times ", trigger="*"),
    Rule("square root", r"\u221a ?(?=[\w(])", " the square root of ", trigger="\u221a"),
    Rule(
        "comparison",
        r"([<>!]=|[\u2248\u2260\u2264\u2265])",
        lambda match: f" {_COMPARISONS[match.group(1)]} ",
        trigger="<>!\u2248\u2260\u2264\u2265",
    ),
)
