"""Abbreviations, some by what stands around them: Dr. Smith and Elm Dr., St. Mary and Main St."""

import re

from text.rules import ALWAYS, DIGITS, Rule, one_of, text_after, words
from text.units import UNITS

# Units that are written alone as well: "its speed in mph".
_LONE_UNITS = words("mph kph rpm mpg bpm fps dpi ppm psi kbps mbps gbps")
# Read so wherever they stand, with or without the period. Those that the pronunciation dictionary
# says rightly itself (Mr, Mrs, Co, Jr) need no row.
_WORDS = {
    **{"etc": "etcetera", "vs": "versus", "dept": "department", "Dept": "Department"},
    **{"mr": "mister", "dr": "doctor", "jr": "junior", "sr": "senior", "approx": "approximately"},
    **{"Approx": "Approximately", "asst": "assistant", "Asst": "Assistant", "Assn": "Association"},
    **{"Blvd": "Boulevard", "Pkwy": "Parkway", "Hwy": "Highway", "Expy": "Expressway"},
    **{"govt": "government", "Govt": "Government", "intl": "international", "Bros": "Brothers"},
    **{"Inc": "Incorporated", "Ltd": "Limited", "ltd": "limited", "Messrs": "Messieurs"},
    **{"Intl": "International", "Natl": "National", "Mfg": "Manufacturing", "Pvt": "Private"},
    **{"mgmt": "management", "Mgmt": "Management", "mgr": "manager", "Mgr": "Manager"},
    **{"WW1": "World War one", "WW2": "World War two"},
    **{
        "WWI": "World War one",
        "WWII": "World War two",
        "PhD": "P H D",
        "PhDs": "P H D's",
        "BSc": "B S C",
        "MSc": "M S C",
        "pp": "P P",
    },
    **{"NaCl": "N A C L", "NaOH": "N A O H", "HCl": "H C L", "aka": "A K A"},
    **{"pH": "P H", "eg": "for example", "ie": "that is", "Vs": "Versus"},
    **{"plz": "please", "ppl": "people", "tmrw": "tomorrow", "msg": "message", "nvm": "never mind"},
    **{"gr8": "great", "l8r": "later", "b4": "before", "2day": "today", "2nite": "tonight"},
    **{"2moro": "tomorrow", "idk": "I D K", "omg": "O M G", "imho": "I M H O", "fyi": "F Y I"},
    **{"ttyl": "T T Y L", "smh": "S M H", "irl": "I R L", "afaik": "A F A I K", "eta": "E T A"},
    **{"Tues": "Tuesday", "Thur": "Thursday", "Thurs": "Thursday", "Weds": "Wednesday"},
    **{"Ctrl": "Control", "ctrl": "control", "Cmd": "Command", "cmd": "command", "Esc": "Escape"},
    **{"YoY": "year over year", "QoQ": "quarter over quarter", "MoM": "month over month"},
    **{"hwy": "highway", "thx": "thanks", "tbh": "to be honest", "imo": "in my opinion"},
    **{"programme": "program", "programmes": "programs", "pls": "please", "btw": "by the way"},
    **{name: UNITS[name].many for name in _LONE_UNITS},
}
# Read so only with the period.
_DOTTED = {
    **{"Ave": "Avenue", "Rd": "Road", "Ln": "Lane", "Corp": "Corporation", "Univ": "University"},
    **{"vol": "volume", "Vol": "Volume", "fig": "figure", "Fig": "Figure", "avg": "average"},
    **{"max": "maximum", "min": "minimum", "misc": "miscellaneous", "est": "established"},
    **{"Avg": "Average", "Est": "Established"},
    **{"e.g": "for example", "i.e": "that is", "Ph.D": "P H D", "Esq": "Esquire"},
    **{"E.g": "For example", "I.e": "That is", "cf": "compare", "viz": "namely", "al": "al"},
    **{"Mr": "Mr", "Mrs": "Mrs", "Ms": "Ms", "Jr": "Junior", "Sr": "Senior", "incl": "including"},
    **{"Assoc": "Associates", "Bldg": "Building", "Ctr": "Center", "Dist": "District"},
    **{"Div": "Division", "Fwy": "Freeway", "Inst": "Institute", "Soc": "Society"},
    **{"Chas": "Charles", "Geo": "George", "Jas": "James", "Thos": "Thomas", "Wm": "William"},
    **{"Twp": "Township", "tel": "telephone", "Tel": "Telephone", "esp": "especially"},
}
# Read so only before a number: "pp. 12-15" is pages twelve to fifteen. Short ones need the period.
_LABELS = {
    **{"apt": "apartment", "bldg": "building", "chap": "chapter", "eq": "equation"},
    **{"eqs": "equations", "ext": "extension", "fig": "figure", "figs": "figures"},
    **{
        "nos": "numbers",
        "pg": "page",
        "pgs": "pages",
        "para": "paragraph",
        "pp": "pages",
        "rm": "room",
        "rt": "route",
        "rte": "route",
    },
    **{"ref": "reference", "ste": "suite", "tel": "telephone", "vol": "volume", "vols": "volumes"},
}
_DOTTED_LABELS = {
    **{"art": "article", "ch": "chapter", "ep": "episode", "fl": "floor", "p": "page"},
    **{"ca": "circa", "max": "maximum", "min": "minimum", "pt": "part"},
    **{"sec": "section", "sect": "section", "ver": "version", "v": "version"},
}
# Read so only before a name.
_TITLES = {
    **{"Adm": "Admiral", "Brig": "Brigadier", "Capt": "Captain", "Cmdr": "Commander"},
    **{"Col": "Colonel", "Cpl": "Corporal", "Dr": "Doctor", "Fr": "Father", "Ft": "Fort"},
    **{"Gen": "General", "Gov": "Governor", "Hon": "Honorable", "Lt": "Lieutenant", "Maj": "Major"},
    **{"Mlle": "Mademoiselle", "Mme": "Madame", "Mt": "Mount", "Pt": "Point", "Pres": "President"},
    **{"Prof": "Professor", "Rep": "Representative", "Rev": "Reverend", "Sen": "Senator"},
    **{"Sgt": "Sergeant", "St": "Saint", "Supt": "Superintendent", "st": "saint"},
    **{"Amb": "Ambassador", "Atty": "Attorney", "Cllr": "Councillor", "Cdr": "Commander"},
    **{
        "Det": "Detective",
        "Insp": "Inspector",
        "Pvt": "Private",
        "Pfc": "Private First Class",
        "Rt": "Right",
    },
}
_SHOUTED = {
    name.upper(): f"{title.upper()} " for name, title in _TITLES.items() if name not in ("st", "Ft")
}
# Read so after a name.
_STREETS = {"St": "Street", "Dr": "Drive", "st": "street", "Ave": "Avenue"}
# Read so only before a year.
_LIVES = {
    **{"b": "born", "d": "died", "r": "reigned", "fl": "flourished", "c": "circa", "ca": "circa"},
}

_STROKES = {
    **{"w/o": "without", "w/": "with", "w/in": "within", "b/c": "because", "c/o": "care of"},
    **{"a/c": "A C", "n/a": "not applicable", "and/or": "and or", "either/or": "either or"},
    **{"he/she": "he or she", "she/he": "she or he", "s/he": "she or he", "his/her": "his or her"},
    **{"his/hers": "his or hers", "her/his": "her or his", "him/her": "him or her"},
    **{"himself/herself": "himself or herself", "he/him": "he him", "she/her": "she her"},
    **{"they/them": "they them", "true/false": "true or false", "yes/no": "yes or no"},
    **{"on/off": "on off"},
}

OPENERS = words(
    "The A An It He She We They I You This That These Those There Here In On At But And So Then"
    " When While If As For From To After Before However His Her Its Our Their My Your What Who Why"
    " How Where Is Are Was Were Did Do Does Not No Yes One Some Many Most All Both Now"
)
"""Words that begin a new sentence after "Main St." rather than name a saint."""

# The period goes unless it may end a sentence too.
_PERIOD = rf"(?: ?\.(?!$| (?:{one_of(OPENERS)})\b))"
_INITIAL = r"(?<![\w.'])"


def _number_sign(match: re.Match[str]) -> str:
    return f"{match.group(1)}umber{match.group(2) or ''} "


def _stroke(match: re.Match[str]) -> str:
    spoken = _STROKES[match.group().lower()]
    return spoken.capitalize() if match.group()[0].isupper() else spoken


def _label(match: re.Match[str]) -> str:
    written, mark = match.groups()
    spoken = (_LABELS | _DOTTED_LABELS)[written.lower()]
    return f"{spoken.capitalize() if written[0].isupper() else spoken}{mark} "


def _title(match: re.Match[str]) -> str:
    return f"{_TITLES[match.group(1)]} "


def _initials(match: re.Match[str]) -> str:
    """Say initials by their letters; the period of the last stays where it ends the text."""
    letters = re.findall("[A-Za-z]", match.group())
    following = text_after(match, 1)
    ending = {"": ".", "'": ""}.get(following, " ")
    return " ".join(letters).upper() + ending


LABELS = (
    Rule(
        "floor after an ordinal", r"(?<=\d(?:st|nd|rd|th) )[Ff]l\b(?:\.(?= [a-z]|[,;)]))?", "floor"
    ),
    Rule("century after an ordinal", r"(?<=\d(?:st|nd|rd|th) )c\.(?= [a-z]|[,;)]|$)", "century"),
    Rule(
        "edition after an ordinal", r"(?<=\d(?:st|nd|rd|th) )ed\b(?:\.(?= [a-z]|[,;)]))?", "edition"
    ),
    Rule(
        "No. before a number",
        r"\b([Nn])o(s)? ?\. ?(?=\d|[A-Z]{1,3}-?\d|of\b)",
        _number_sign,
        trigger=".",
    ),
    Rule(
        "born, died, circa before a year",
        rf"(?<![\w.'])({one_of(_LIVES)})\. ?(?=(?:ca?\. ?)?(?:1\d|20)\d\d\b)",
        lambda match: f"{_LIVES[match.group(1)]} ",
    ),
    Rule(
        "label of a number",
        r"(?<![\w.'])(?=[A-Za-z]{1,8}(?:\.|:? \d))(?!(?<=\d )(?:fl|min|pt|sec)\b)"
        rf"((?i:{one_of(_LABELS)})\b(?=\.|:? \d)|(?i:{one_of(_DOTTED_LABELS)})(?=\.))"
        r"\.?(:?)(?: ?(?=[(#]?[A-Z]?\d)| (?=[ivx]+\b)|(?<=\w\w\.) (?=[IVXLC]+\b))",
        _label,
        trigger=f".{DIGITS}",
    ),
    Rule(
        "estimated before an amount", r"\b([Ee])st\. (?=[\d$£€](?![0-9]{3}(?!\d)))", r"\1stimated "
    ),
)
"""Labels of numbers, which go before all that reads numbers."""

RULES = (
    Rule(
        "words with a stroke",
        rf"(?<![\w/])((?i:{one_of(_STROKES)}))(?![\w/])",
        _stroke,
        trigger="/",
    ),
    Rule("number sign", r"(?<![\w#])# ?(?=\d)", "number ", trigger="#"),
    Rule(
        "title at the beginning", rf"^({one_of(_TITLES)})\b ?\. (?=[A-Z])", _title, trigger="."
    ),  # Dr. Who
    Rule(
        "title in capitals",
        rf"\b({one_of(_SHOUTED)})\. (?=[A-Z]{{2}})",
        lambda match: _SHOUTED[match.group(1)],
        trigger=".",
    ),
    Rule(
        "title before a name",
        rf"\b({one_of(_TITLES)})\b ?\.? (?!(?:{one_of(OPENERS)})\b)(?=(?:(?:and|&) )?[A-Z]|1st\b)",
        _title,
        trigger=ALWAYS,
    ),
    Rule(
        "street after a name",
        rf"\b([A-Z][a-z]+|[JS]r\.|\d+(?:st|nd|rd|th)) ({one_of(_STREETS)})\b{_PERIOD}?(?!\w)",
        lambda match: f"{match.group(1)} {_STREETS[match.group(2)]}",
        trigger=ALWAYS,
    ),
    Rule(
        "abbreviation with a period",
        rf"\b({one_of(_DOTTED)})(?= ?\.){_PERIOD}?(?!\w)",
        lambda match: _DOTTED[match.group(1)],
        trigger=".",
    ),
    Rule(
        "abbreviation",
        rf"\b({one_of(_WORDS)})\b"
        r"(?: ?\.(?= ?[a-z\d,;:$£€(&]| (?:Inc|Ltd|Corp|Co|Jr|Sr)\b)"
        r"|(?<=Messrs)\.|(?<=vs)\.|(?<=[md]r)\.(?= [A-Z]))?",
        lambda match: _WORDS[match.group(1)],
        trigger=ALWAYS,
    ),
    Rule("v. between parties", r"(?<=[a-z] )v\. (?=[A-Z])", "versus ", trigger="."),
    # J. R. R. Tolkien; then U.S.A., D. T.; then a tokenizer's "U.S ." and "D.C".
    Rule(
        "initials before a name",
        rf"{_INITIAL}(?:[A-Za-z] ?\. ?){{1,6}}(?!(?:{one_of(OPENERS)})\b)(?=[A-Z]\w|\()",
        _initials,
        trigger=".",
    ),
    Rule("initials", rf"{_INITIAL}(?:[A-Za-z]\. ?){{2,8}}", _initials, trigger="."),
    Rule("two initials", rf"{_INITIAL}[A-Za-z]\.[A-Za-z]\b(?: ?\.)?", _initials, trigger="."),
    Rule("initials before a number", r"(?<![\w.'])([A-Za-z]{1,2})(?: ?\. |\.)(?=\d)", r"\1 "),
)
