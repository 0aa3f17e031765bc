"""Serial numbers, codes and names that mix letters with digits."""

import re

from text.addresses import DIRECTIONS
from text.counting import precedes_plural
from text.initialisms import is_spoken, spell
from text.number_words import cardinal, digits, pairs, plain_number, plural
from text.rules import DIGITS, START, Rule, text_after, text_before, words

_MANY = {
    **{"10": "tens", "100": "hundreds", "1000": "thousands", "1,000": "thousands"},
    **{"10,000": "tens of thousands", "100,000": "hundreds of thousands"},
}
_ELEMENTS = words(
    "H He Li Be B C N O F Ne Na Mg Al Si P S Cl Ar K Ca Ti V Cr Mn Fe Co Ni Cu Zn Ga Ge As Se Br Kr"
    " Rb Sr Y Zr Nb Mo Ag Cd In Sn Sb Te I Xe Cs Ba La Ce W Re Os Ir Pt Au Hg Tl Pb Bi Ra Th U Pu"
)
_MAKERS = (
    "Atari|Cessna|Commodore|Ferrari|Fiat|GTX|Honda|Huawei|Kodak|Leica|Lotus|Motorola|Nikon|Nokia"
    "|Peugeot|Pentium|Playstation|Polaroid|Porsche|Radeon|Ram|Roland|Saab|Sierra|Silverado|Stanley"
    "|Thinkpad|ThinkPad|Volvo|Xbox|Yamaha"
)
_PIECE = re.compile(r"[A-Za-z]+|\d+|-")


def _digits_of_code(number: str) -> str:
    if len(number) <= 2 and number[0] != "0":
        return cardinal(number)
    return digits(number)


def _code(match: re.Match[str]) -> str:
    """Say "VC836" as V C eight three six, "F-16" as F sixteen, "15-minute" as fifteen minute."""
    words = []
    for part in match.group().split("-"):
        pieces = _PIECE.findall(part)
        if len(pieces) == 1 and part.isdigit():
            # 10000-meter is a distance, 235212-asdg a code.
            is_code = len(part) > 4 and not part.endswith("00")
            is_model = len(part) == 3 and match.group()[0].isupper()  # F-150
            say = digits if is_code else pairs if is_model else plain_number
            words.append(say(part))
        elif len(pieces) == 2 and pieces[1] == "s" and len(pieces[0]) > 1:
            words.append(plural(pairs(pieces[0])))
        elif len(pieces) == 2 and pieces[1] in "kKx":
            words += (cardinal(pieces[0]), pieces[1])
        else:
            words += map(_piece_of_code, pieces)
    return " ".join(words)


def _piece_of_code(piece: str) -> str:
    if piece.isdigit():
        return _digits_of_code(piece)
    return spell(piece) if len(piece) == 2 and piece.isupper() else piece


def _formula(match: re.Match[str]) -> str:
    """Say "Fe2O3" as F E two O three; what holds no second element is a code as any other."""
    symbols = re.findall("[A-Z][a-z]?", match.group())
    if len(symbols) < 2 or not _ELEMENTS.issuperset(symbols):
        return match.group()
    letters = match.group().rstrip(DIGITS)
    if len(letters) > 2 and letters.isalpha() and letters.isupper() and is_spoken(letters):
        return match.group()  # COP28
    pieces = _PIECE.findall(match.group())
    return " ".join(cardinal(piece) if piece.isdigit() else spell(piece) for piece in pieces)


def _named(match: re.Match[str]) -> str:
    return f"{match.group(1)}{pairs(match.group(2))} {match.group(3) or ''}".rstrip()


def _model(match: re.Match[str]) -> str:
    """Say "Porsche 911" as nine eleven, and "Nokia 500 workers" as a quantity."""
    if precedes_plural(match.string, match.end()):
        return match.group()
    return f"{match.group(1)}{pairs(match.group(2))}"


def _road(match: re.Match[str]) -> str:
    kind, number, direction = match.groups()
    kind = kind.replace("-", " ")
    spoken = digits(number, zero="oh") if number[-2:-1] == "0" else pairs(number)
    return f"{kind}{spoken}{f' {DIRECTIONS[direction]}' if direction else ''}"


def _error(match: re.Match[str]) -> str:
    before, after = text_before(match, 8), text_after(match, 10)
    is_error = re.search("(?i)(?:error|http|status|code|a) $", before) and not before.endswith(
        " a "
    )
    return digits(match.group(), zero="oh") if is_error or "rror" in after else match.group()


def _airliner(match: re.Match[str]) -> str:
    before, number, series = match.groups()
    if precedes_plural(match.string, match.end()):
        return match.group()
    return f"{before}{pairs(number)}{f' {pairs(series)}' if series else ''}"


def _grouped(match: re.Match[str]) -> str:
    return digits(match.group(), zero="o")


def _thousands(match: re.Match[str]) -> str:
    return f"{cardinal(match[1])} " if match[1] else cardinal(match[0])


def _small_groups(match: re.Match[str]) -> str:
    """Say "3-2-1" as three two one, "49-30-4" with pauses, or its end would be thirty four."""
    numbers = match.group().split("-")
    return (" " if max(map(len, numbers)) == 1 else ", ").join(map(cardinal, numbers))


def _version(match: re.Match[str]) -> str:
    return " dot ".join(plain_number(part) for part in match.group().split("."))


def _lines(match: re.Match[str]) -> str:
    return f"{pairs(match.group(1))} {match.group(2).upper()}"


def _plan(match: re.Match[str]) -> str:
    """Say "401(k)" as four oh one K, "501(c)(3)" as five oh one C three."""
    number, letter, part = match.groups()
    return f"{digits(number, zero='oh')} {letter.upper()} {cardinal(part) if part else ''}".strip()


RULES = (
    Rule(
        "thousands in a compound",  # a 2,500-page report, one-in-1,000
        r"(?<![\w.,-])(\d{1,3}(?:,\d{3})+)-(?=[A-Za-z])"
        r"|(?<=[A-Za-z]-)\d{1,3}(?:,\d{3})+(?![\w-]|[.,]\d)",
        _thousands,
        trigger=",",
    ),
    Rule("section of a law", rf"{START}([1-9]0\d)\(([a-z])\)(?:\((\d)\))?", _plan, trigger="("),
    Rule("retirement plan", rf"{START}(40[13])([kb])()\b", _plan),
    Rule("lines of a picture", rf"{START}(240|360|480|720|1080|1440|2160|4320)([pi])\b", _lines),
    Rule(
        "range of magnitudes",
        rf"{START}(\d{{1,3}}) ?[-\u2013] ?(?=\d{{1,3}}[xkKMB]\b)",
        r"\1 to ",
        trigger="-\u2013",
    ),
    Rule(
        "tens, hundreds, thousands",
        rf"{START}(10{{1,3}}(?= ?s of\b)|100|1,?000|10{{1,2}},000)s(?!\w)",
        lambda match: _MANY[match.group(1)],
    ),
    Rule("stars of a hotel", r"(?<![\w.,])([1-7])\*(?=-|$| [a-z])", r"\1 star", trigger="*"),
    Rule(
        "grade with a minus",
        r"(?<![\w'.-])([A-D])-(?=[.,;:!?)]|$| (?:in|on|for|and|or|average|grade|student|minus)\b)",
        r"\1 minus",
        trigger="-",
    ),
    Rule("sharp", r"\b([A-G])#(?!\w)", r"\1 sharp", trigger="#"),
    Rule("ISBN", r"(?<=ISBN )[\d-]{9,20}X?(?![\w-])", _grouped),
    Rule(
        "road",
        r"((?i:\b(?:hwy|highway|route|rte?|interstate)\.? )|\b(?:I|US|SR|CR)[- ])(\d{1,3})"
        r"(?: (NE|NW|SE|SW|[NSEW])(?=[ .,;:!?)]|$))?(?![\w-]|[.,:]\d)",
        _road,
    ),
    Rule(
        "airliner",
        r"\b((?:Boeing|[Aa]|[Tt]he) )(7[0-8]7)(?:-(\d{1,3}))?(?![\w,-]|[.:]\d| million| km)",
        _airliner,
    ),
    Rule(
        "Airbus",
        r"\b(A)(220|3[0-8]0)(?:-(\d{3,4}))?(?![\w-]|[.:]\d)",
        lambda match: " ".join(["A", *(pairs(part) for part in match.groups()[1:] if part)]),
        trigger="A",
    ),
    Rule(
        "team of a number",  # the 49ers
        rf"{START}(\d\d)ers\b",
        lambda match: f"{cardinal(match[1]).removesuffix('e')}ers",
    ),
    # RTX 4090; not ISO 9001.
    Rule(
        "model of four digits",
        r"\b([A-Z]{2,3} )([1-9]\d(?!0[1-9])\d\d)(?![\w,%-]|[.:]\d)",
        _model,
    ),
    Rule(
        "model of a maker",
        rf"\b((?:{_MAKERS}) )([1-9]\d{{2,3}})(?![\w,%-]|[.:]\d)",
        _model,
    ),
    Rule(
        "error code",
        rf"{START}[45]0[1-9](?![\w%-]|[,.:/]\d)",
        _error,
    ),
    Rule(
        "times as much",
        rf"{START}(\d{{1,6}}(?:\.\d{{1,3}})?) ?[x\u00d7]"
        r"(?= (?:a|per|each|every|as|more|less|[a-z]{2,8}er)\b)",
        r"\1 times",
        trigger="x\u00d7",
    ),
    Rule(
        "record of wins, losses and draws",
        r"\b((?:records?(?: of| is| was)?|went|finished|improved to|fell to|are|started)) "
        r"(\d{1,3})-(\d{1,2})-(\d{1,2})(?![\w-]|[.,]\d)",
        lambda match: " ".join([match[1], *map(cardinal, match.groups()[1:])]),
        trigger="-",
    ),
    Rule("even shares", rf"{START}50-50(?![\w-])", "fifty fifty", trigger="-"),
    Rule(
        "named room or flight",
        r"(?i)\b((?:exhibit|page|flight|room|suite|apartment|apt|interstate) (?:number )?"
        r"(?-i:[A-Z]{2} )?)"
        r"(\d{3,4})(?:-([A-Z]))?\b",
        _named,
    ),
    # A published test set of written forms reads 49-30-4 digit by digit; common sense goes first.
    Rule(
        "small numbers with hyphens",
        rf"{START}[1-9]\d?(?:-(?:0|[1-9]\d?)){{2,4}}(?![\w-]|[.,]\d)",
        _small_groups,
        trigger="-",
    ),
    Rule(
        "groups of digits with hyphens",
        rf"{START}(?:\d+(?:-\d+){{2,8}}|0\d+-\d+)(?![\w-])",
        _grouped,
    ),
    Rule("version letter", r"\b[vV](?=\d+(?:\.\d+){1,8}(?![\w.]))", "version "),
    Rule("version", rf"{START}\d+(?:\.\d+){{2,8}}(?!\w)", _version),
    Rule(
        "chemical formula",
        r"(?<![\w.-])(?=[A-Za-z]{1,12}\d)(?:[A-Z][a-z]?\d{0,2}){2,12}(?![\w-]|\.\d)",
        _formula,
    ),
    Rule(
        "code of letters and digits",
        r"(?<![\w.-])(?=[\w-]{0,100}\d)(?=[\w-]{0,100}[A-Za-z])[A-Za-z\d]+(?:-[A-Za-z\d]+)*(?!\w|\.\d)",
        _code,
    ),
)
