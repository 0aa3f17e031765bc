"""Digits to words: cardinals, ordinals, decimals, years and digits one by one."""

import re

from text.rules import DIGITS

_ONES = (
    *("zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten"),
    *("eleven", "twelve", "thirteen", "fourteen", "fifteen", "sixteen", "seventeen", "eighteen"),
    "nineteen",
)
_TENS = ("", "", "twenty", "thirty", "forty", "fifty", "sixty", "seventy", "eighty", "ninety")
_SCALES = (
    *("", " thousand", " million", " billion", " trillion", " quadrillion", " quintillion"),
    *(" sextillion", " septillion", " octillion", " nonillion", " decillion"),
)
_ORDINALS = {
    **{"one": "first", "two": "second", "three": "third", "five": "fifth", "eight": "eighth"},
    **{"nine": "ninth", "twelve": "twelfth"},
}

NUMBER = r"(?:\d{1,3}(?:,\d{3})+(?!\d)(?:\.\d+)?|\d+(?:\.\d+)?|\.\d+)"
"""Pattern of a number with or without thousands separators and decimals, no sign."""

MAGNITUDE = r"(?:thousand|million|billion|trillion|quadrillion|lakh|crore)"


def cardinal(number: str) -> str:
    """Return "one hundred twenty three" for "123" or "0123"; commas are ignored.

    Numbers beyond 10 ** 36 have no names that listeners know: they are read digit by digit.
    """
    number = number.replace(",", "").lstrip("0") or "0"
    if len(number) > 3 * len(_SCALES):
        return digits(number)
    if len(number) <= 2 and int(number) < 20:
        return _ONES[int(number)]
    groups = [number[max(0, end - 3) : end] for end in range(len(number), 0, -3)]
    words = [
        _below_thousand(int(group)) + _SCALES[scale]
        for scale, group in enumerate(groups)
        if int(group)
    ]
    return " ".join(reversed(words))


def _below_thousand(number: int) -> str:
    hundreds, rest = divmod(number, 100)
    words = [f"{_ONES[hundreds]} hundred"] if hundreds else []
    if rest >= 20:
        words.append(_TENS[rest // 10])
        rest %= 10
    if rest:
        words.append(_ONES[rest])
    return " ".join(words)


def ordinal(number: str) -> str:
    """Return "twenty first" for "21"."""
    return ordinal_words(cardinal(number))


def ordinal_words(words: str) -> str:
    """Return the ordinal of a cardinal in words: "twenty one" becomes "twenty first"."""
    head, space, last = words.rpartition(" ")
    if last in _ORDINALS:
        last = _ORDINALS[last]
    elif last.endswith("y"):
        last = f"{last[:-1]}ieth"
    else:
        last = f"{last}th"
    return f"{head}{space}{last}"


def plural(words: str) -> str:
    """Return number words in the plural: "nineteen sixty" becomes "nineteen sixties"."""
    if words.endswith("y"):
        return f"{words[:-1]}ies"
    return f"{words}es" if words.endswith("x") else f"{words}s"


def digits(number: str, *, zero: str = "zero") -> str:
    """Return digits one by one, other characters dropped; `zero` names the nought."""
    return " ".join(
        zero if digit == "0" else _ONES[int(digit)] for digit in number if digit in DIGITS
    )


def decimal(number: str) -> str:
    """Return "two point zero five" for "2.05" and "three" for "3"; commas are ignored."""
    whole, point, fraction = number.partition(".")
    words = cardinal(whole) if whole else ""
    if point and fraction:
        words = f"{words} point {digits(fraction)}"
    return words.strip()


def signed(number: str) -> str:
    """Return a number with a sign, thousands separators and decimals in words."""
    sign = {"-": "minus ", "+": "plus "}.get(number[0], "")
    return sign + decimal(number.lstrip("+-"))


def year(number: str) -> str:
    """Return "nineteen oh five" for "1905", "two thousand five", "twenty ten", "nine fifty"."""
    number = number.lstrip("0") or "0"
    if len(number) < 3 or len(number) > 4:
        return cardinal(number)
    century, rest = number[:-2], number[-2:]
    if number[-3:] == "000" or "2000" <= number <= "2009":
        return cardinal(number)
    if rest == "00":
        return f"{cardinal(century)} hundred"
    if rest[0] == "0":
        return f"{cardinal(century)} oh {cardinal(rest)}"
    return f"{cardinal(century)} {cardinal(rest)}"


def pairs(number: str) -> str:
    """Return a house or room number: "twenty seven eighty eight", "seven zero eight"."""
    if len(number) < 3 or (len(number) == 3 and number.endswith("00")):
        return cardinal(number)
    if len(number) > 4:
        return digits(number)
    if number[-2] == "0":
        return digits(number) if len(number) == 3 else year(number)
    return f"{cardinal(number[:-2])} {cardinal(number[-2:])}"


def plain_number(number: str) -> str:
    """Return a number that nothing around it explains.

    Four digits up to 2099 are read like a year ("seventeen hundred youths"); a leading zero and ten
    or more digits without separators show a code.
    """
    # A published test set of written forms reads 13000 digit by digit; common sense goes first.
    if re.fullmatch(r"1\d{3}|20\d\d", number):
        return year(number)
    if re.fullmatch(r"0\d+|\d{10,}", number):
        return digits(number)
    return decimal(number)
