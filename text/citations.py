"""Chapters and verses of the Bible and the Quran: Gen. 1:1, 1 Cor. 13:4-7, Psalm 23."""

import re

from text.number_words import cardinal, ordinal
from text.rules import Rule, one_of

_BOOKS = {
    **{"Gen": "Genesis", "Ex": "Exodus", "Exod": "Exodus", "Lev": "Leviticus", "Num": "Numbers"},
    **{"Deut": "Deuteronomy", "Josh": "Joshua", "Judg": "Judges", "Sam": "Samuel", "Kgs": "Kings"},
    **{"Chr": "Chronicles", "Chron": "Chronicles", "Neh": "Nehemiah", "Esth": "Esther"},
    **{"Ps": "Psalm", "Psa": "Psalm", "Prov": "Proverbs", "Eccl": "Ecclesiastes", "Isa": "Isaiah"},
    **{"Jer": "Jeremiah", "Lam": "Lamentations", "Ezek": "Ezekiel", "Dan": "Daniel"},
    **{"Hos": "Hosea", "Mic": "Micah", "Hab": "Habakkuk", "Zech": "Zechariah", "Mal": "Malachi"},
    **{"Matt": "Matthew", "Mt": "Matthew", "Mk": "Mark", "Lk": "Luke", "Jn": "John"},
    **{"Rom": "Romans", "Cor": "Corinthians", "Gal": "Galatians", "Eph": "Ephesians"},
    **{"Phil": "Philippians", "Col": "Colossians", "Thess": "Thessalonians", "Tim": "Timothy"},
    **{"Tit": "Titus", "Philem": "Philemon", "Heb": "Hebrews", "Jas": "James", "Pet": "Peter"},
    **{"Rev": "Revelation", "Qur'an": "Quran"},
    **{name: name for name in ("Job", "Joel", "Amos", "Jonah", "Ruth", "Ezra", "Acts", "Jude")},
    **{name: name for name in ("Psalms", "Quran", "Surah", "Sura", "Nahum", "Haggai", "Obadiah")},
}
_NAMES = one_of({*_BOOKS, *_BOOKS.values()})


def _verse(match: re.Match[str]) -> str:
    number, book, chapter, verse, last = match.groups()
    words = [ordinal(number).capitalize()] if number else []
    words += [_BOOKS.get(book, book), cardinal(chapter), cardinal(verse)]
    if last:
        words += ["to", cardinal(last)]
    if verse.startswith("0"):  # a time of day after a name
        return match.group()
    if chapter == verse:  # "one one" is not understood
        words[-1] = f"verse {words[-1]}"
    return " ".join(words)


RULES = (
    Rule(
        "verse of a holy book",
        rf"(?:(?<![\w.,-])([123]) )?\b({_NAMES})\.? (\d{{1,3}}):(\d{{1,3}})"
        r"(?: ?[-\u2013] ?(\d{1,3}))?"
        r"(?![\w:]|[.,]\d)",
        _verse,
        trigger=":",
    ),
)
