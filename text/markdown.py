"""Markdown, HTML tags and emoji sequences: what shows text, and is not said itself."""

import html
import re

from text.rules import Rule

_TAGS = (
    "a|abbr|b|big|blockquote|br|center|cite|code|del|div|em|font|h[1-6]|hr|i|img|ins|kbd|li|mark|ol|p"
    "|pre|q|s|small|span|strike|strong|sub|sup|table|tbody|td|th|thead|tr|tt|u|ul|var"
)
_ITEM = r"(?:[-*\u2022\u2023\u25e6][ \t]|\d{1,3}[.)][ \t])"
_REGIONS = (
    "AE the United Arab Emirates,AR Argentina,AT Austria,AU Australia,BD Bangladesh,BE Belgium"
    ",BG Bulgaria,BR Brazil,CA Canada,CH Switzerland,CL Chile,CN China,CO Colombia,CU Cuba"
    ",CZ the Czech Republic,DE Germany,DK Denmark,EE Estonia,EG Egypt,ES Spain,ET Ethiopia"
    ",EU the European Union,FI Finland,FR France,GB the United Kingdom,GH Ghana,GR Greece"
    ",HR Croatia,HU Hungary,ID Indonesia,IE Ireland,IL Israel,IN India,IR Iran,IS Iceland"
    ",IT Italy,JM Jamaica,JP Japan,KE Kenya,KR South Korea,LT Lithuania,LV Latvia,MA Morocco"
    ",MX Mexico,MY Malaysia,NG Nigeria,NL the Netherlands,NO Norway,NP Nepal,NZ New Zealand"
    ",PE Peru,PH the Philippines,PK Pakistan,PL Poland,PS Palestine,PT Portugal,RO Romania"
    ",RS Serbia,RU Russia,SA Saudi Arabia,SE Sweden,SG Singapore,SI Slovenia,SK Slovakia"
    ",TH Thailand,TR Turkey,TW Taiwan,UA Ukraine,US the United States,VE Venezuela,VN Vietnam"
    ",ZA South Africa"
)
_FLAGS = dict(row.split(" ", 1) for row in _REGIONS.split(","))


def _ended(match: re.Match[str]) -> str:
    """Return a heading's words, with a period where they end without a mark."""
    words = match.group(1)
    return words if words[-1] in ".!?:;," else f"{words}."


def _flag(match: re.Match[str]) -> str:
    letters = "".join(chr(ord(char) - 0x1F1E6 + ord("A")) for char in match.group())
    return f" flag of {_FLAGS[letters]} " if letters in _FLAGS else " flag "


def _character(match: re.Match[str]) -> str:
    return html.unescape(match.group())


RULES = (
    Rule("code fence", r"(?m)^[ \t]*(?:```|~~~)[\w+-]*[ \t]*$", "", trigger="`~"),
    Rule(
        "line across the page", r"(?m)^[ \t]*([-=*_~])(?:[ \t]*\1){2,}[ \t]*$", "", trigger="-=*_~"
    ),
    Rule("line of a table", r"(?m)^[ \t]*\|?[ \t]*:?-{2,}[-| \t:]*$", "", trigger="|"),
    Rule(
        "row of a table",
        r"(?m)^[ \t]*\|([^|\n]{1,200}\|[^\n]{1,500}?)[| \t]*$",
        r"\1.",
        trigger="|",
    ),
    Rule("cell of a table", r"(?<=[^|\s]) *\| *(?=[^|\s])", ", ", trigger="|"),
    Rule("comment of HTML", r"<!--[^<>]{0,400}-->", " ", trigger="<"),
    Rule("tag of HTML", rf"(?i)</?(?:{_TAGS})(?: [^<>\n]{{0,300}})?/?>", " ", trigger="<"),
    Rule(
        "character reference",
        r"&(?:#\d{1,6}|#x[\da-fA-F]{1,5}|[a-z]{2,8});",
        _character,
        trigger="&",
    ),
    Rule(
        "link or picture",
        r"!?\[([^\[\]\n]{1,300})\]\([^()\s]{0,300}(?:\([^()\s]{0,100}\)[^()\s]{0,100})?"
        r"(?: [\"'][^\"'\n]{0,300}[\"'])?\)",
        r"\1",
        trigger="[",
    ),
    Rule("link by reference", r"\[([^\[\]\n]{1,300})\]\[[^\[\]\n]{0,100}\]", r"\1", trigger="["),
    Rule(
        "number of a footnote",
        r"(?<=[\w.,;:!?\"')\]])\[(?:\^?\d{1,3}|\^\w{1,30})\]",
        "",
        trigger="[",
    ),
    Rule(
        "heading",
        r"(?m)^ {0,3}(?:#{2,6}|#(?=[ \t]+\D))[ \t]+(\S(?:[^\n]{0,500}?\S)?)[ \t]*#*[ \t]*$",
        _ended,
        trigger="#",
    ),
    Rule("quoted line", r"(?m)^[ \t]*(?:>[ \t]?){1,4}(?![ \t]*[\d=$])", "", trigger=">"),
    Rule(
        "list item without a period",
        rf"(?m)(?<=[^\W_])(?<=[^\n]{{2}})(?=[\"')\]*_`]{{0,4}}[ \t]*\n[ \t]*(?:\n|{_ITEM}|#))"
        rf"|(?<=[^\W_])(?=\n[ \t]*\n)",
        ".",
        trigger="\n",
    ),
    Rule(
        "last list item",
        rf"(?m)^([ \t]*{_ITEM}[^\n]{{0,500}}[^\W_])[ \t]*\Z",
        r"\1.",
        trigger="-*\u2022\u2023\u25e6.)",
    ),
    Rule("box of a task", rf"(?m)^([ \t]*{_ITEM})[ \t]*\[[ xX]\][ \t]+", r"\1", trigger="["),
    Rule(
        "bullet",
        r"(?m)^[ \t]*[-*+\u2022\u2023\u25e6][ \t]+(?=\S)",
        "",
        trigger="-*+\u2022\u2023\u25e6",
    ),
    Rule("code", r"(`{1,2})([^`\n]{1,300})\1", r"\2", trigger="`"),
    Rule(
        "bold or italic",
        r"(?<![\w*])(\*{1,3})(?=[^\s*])([^*\n]{1,300})(?<=\S)\1(?![\w*])",
        r"\2",
        trigger="*",
    ),
    Rule(
        "flag",
        "[\U0001f1e6-\U0001f1ff]{2}",
        _flag,
        trigger="".join(map(chr, range(0x1F1E6, 0x1F200))),
    ),
    Rule("joined emoji", "\u200d[\u2640\u2642]\ufe0f?", "", trigger="\u200d"),
    Rule(
        "skin tone",
        "[\U0001f3fb-\U0001f3ff]",
        "",
        trigger="\U0001f3fb\U0001f3fc\U0001f3fd\U0001f3fe\U0001f3ff",
    ),
)
"""Read on the text as it is written, with its line breaks."""
