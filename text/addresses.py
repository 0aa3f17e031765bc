"""Street addresses, states and postcodes."""

import re

from text.number_words import digits, pairs
from text.rules import START, Rule

_STREETS = {
    **{"Ave": "Avenue", "Av": "Avenue", "Blvd": "Boulevard", "Cir": "Circle", "Ct": "Court"},
    **{"Dr": "Drive", "Expy": "Expressway", "Fwy": "Freeway", "Hwy": "Highway", "Ln": "Lane"},
    **{"Pkwy": "Parkway", "Pl": "Place", "Plz": "Plaza", "Rd": "Road", "Sq": "Square"},
    **{"St": "Street", "Ter": "Terrace", "Tpke": "Turnpike"},
}
DIRECTIONS = {
    **{"N": "North", "S": "South", "E": "East", "W": "West", "NE": "Northeast"},
    **{"NW": "Northwest", "SE": "Southeast", "SW": "Southwest"},
}
_STATES = {
    **{"AL": "Alabama", "AK": "Alaska", "AZ": "Arizona", "AR": "Arkansas", "CA": "California"},
    **{"CO": "Colorado", "CT": "Connecticut", "DE": "Delaware", "FL": "Florida", "GA": "Georgia"},
    **{"HI": "Hawaii", "ID": "Idaho", "IL": "Illinois", "IN": "Indiana", "IA": "Iowa"},
    **{"KS": "Kansas", "KY": "Kentucky", "LA": "Louisiana", "ME": "Maine", "MD": "Maryland"},
    **{"MA": "Massachusetts", "MI": "Michigan", "MN": "Minnesota", "MS": "Mississippi"},
    **{"MO": "Missouri", "MT": "Montana", "NE": "Nebraska", "NV": "Nevada", "NH": "New Hampshire"},
    **{"NJ": "New Jersey", "NM": "New Mexico", "NY": "New York", "NC": "North Carolina"},
    **{"ND": "North Dakota", "OH": "Ohio", "OK": "Oklahoma", "OR": "Oregon", "PA": "Pennsylvania"},
    **{"RI": "Rhode Island", "SC": "South Carolina", "SD": "South Dakota", "TN": "Tennessee"},
    **{"TX": "Texas", "UT": "Utah", "VT": "Vermont", "VA": "Virginia", "WA": "Washington"},
    **{"WV": "West Virginia", "WI": "Wisconsin", "WY": "Wyoming", "DC": "D C"},
}
_LANDS = (
    "Africa|America|Asia|Carolina|Dakota|Europe|Germany|Ireland|Korea|Sudan|Vietnam|Virginia|Yemen"
)
# Read as states only before a postcode: "Oh, OK." and "Jane Smith, MD".
_AMBIGUOUS = {"HI", "IN", "MD", "ME", "OH", "OK", "OR"}
_STATE = "|".join(rf"{code[0]}\.?{code[1]}\b\.?" for code in _STATES)
_TYPE = rf"(?:{'|'.join(_STREETS)}|{'|'.join(set(_STREETS.values()))})"
_NAME = r"(?:[A-Z][a-z]+|\d{1,3}(?:st|nd|rd|th))"
_DIRECTION = rf"(?:(?:{'|'.join(DIRECTIONS)})\.?|North|South|East|West)"


def _street(match: re.Match[str]) -> str:
    number, letter, direction, name, kind, quarter = match.groups()
    words = [pairs(number), *([letter] if letter else [])]
    if direction:
        words.append(DIRECTIONS.get(direction.strip(" ."), direction.strip()))
    words += [name.strip(), _STREETS.get(kind.title(), kind)]
    if quarter:
        words.append(DIRECTIONS[quarter])
    return " ".join(words)


def _house_before_direction(match: re.Match[str]) -> str:
    return f"{pairs(match.group(1))} {match.group(2)}"


RULES = (
    Rule(
        "direction before a street",
        rf"(?<![\w.'])({'|'.join(DIRECTIONS)})\.? (?=(?:{_NAME} ){{1,2}}(?:{_TYPE})\b)",
        lambda match: f"{DIRECTIONS[match.group(1)]} ",
        trigger="NESW",
    ),
    Rule(
        "street address",
        rf"{START}(\d{{1,5}})([A-Z])? ({_DIRECTION} )?((?:{_NAME} ){{1,3}})"
        rf"({_TYPE}|[Ss]t|ST)\b(?:\.(?=,| [a-z]| (?:{'|'.join(DIRECTIONS)})\b))?"
        rf"(?: ({'|'.join(DIRECTIONS)})\b)?(?=$|[\s,;:.!?)])",
        _street,
    ),
    Rule(
        "house number before a direction",
        rf"{START}(\d{{3,5}}) ((?:North|South|East|West) [A-Z][a-z]+)",
        _house_before_direction,
    ),
    Rule(
        "state and ZIP code",
        rf"(?<=[a-z,] )({_STATE}),? (\d{{5}}(?:-\d{{4}})?)\b",
        lambda match: f"{_STATES[match[1].replace('.', '')]} {digits(match[2])}",
    ),
    Rule(
        "direction before a country",
        rf"\b([NSEW])\. (?=(?:{_LANDS})\b)",
        lambda match: f"{DIRECTIONS[match.group(1)]} ",
        trigger=".",
    ),
    Rule(
        "city and state",
        rf"\b([A-Z][a-z]+), ({'|'.join(_STATES.keys() - _AMBIGUOUS)})(?=\.?$|[,;)]|\.? [a-z])",
        lambda match: f"{match.group(1)}, {_STATES[match.group(2)]}",
        trigger=",",
    ),
)
