"""E-mail addresses, URLs, file names and paths, handles and hashtags."""

import re

from text.initialisms import speak_label
from text.number_words import digits, pairs
from text.rules import Rule

_TLDS = (
    "com|org|net|edu|gov|mil|int|info|biz|io|ai|app|dev|tv|me|co|us|uk|ca|au|nz|ie|de|fr|es|it|nl|be"
    "|ch|at|se|no|dk|fi|pl|cz|pt|gr|ru|ua|tr|il|in|cn|jp|kr|hk|sg|tw|br|mx|ar|cl|za|ng|eu|sm"
)
_FILE_TYPES = (
    "html?|xml|json|ya?ml|csv|tsv|txt|md|pdf|docx?|xlsx?|pptx?|odt|jpe?g|png|gif|svg|bmp|tiff?|webp"
    "|mp3|mp4|wav|flac|ogg|avi|mov|mkv|zip|tar|gz|exe|dll|iso|py|js|ts|css|php|java|cpp|sh|ini|log"
)
MARKS = {
    **{".": "dot", "/": "slash", ":": "colon", "-": "dash", "_": "underscore", "@": "at"},
    **{"?": "question mark", "=": "equals", "&": "and", "#": "hash", "%": "percent", "+": "plus"},
    **{"~": "tilde", "\\": "backslash", ",": "comma", ";": "semicolon", "$": "dollar"},
    **{"!": "exclamation mark", "*": "star"},
}
_FILE_TYPE_NAMES = {"jpg": "jpeg"}
_PIECE = re.compile(r"[A-Za-z]+|\d+|[^\sA-Za-z\d]")
_CAMEL = re.compile(
    r"(?<=[a-z])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])|(?<=[a-z])(?=\d)|(?<=\d)(?=[A-Za-z])"
)
_HOST = r"[A-Za-z\d](?:[A-Za-z\d-]{0,62}[A-Za-z\d])?"
_PATH = r"(?:[/?#:][^\s\"<>]*)?"


def _speak(address: str) -> str:
    words: list[str] = []
    for piece in _PIECE.findall(address):
        if piece.isdigit():
            is_port = words and words[-1] == "colon" and len(piece) < 6
            words.append(pairs(piece) if is_port else digits(piece, zero="o"))
        elif piece.isalpha():
            words.append(_FILE_TYPE_NAMES.get(piece.lower()) or speak_label(piece))
        else:
            words.append(MARKS.get(piece, piece if piece.isalpha() else ""))
    return " ".join(word for word in words if word)


def _address(match: re.Match[str]) -> str:
    # A mark at the very end closes the sentence, not the address.
    body = match.group().rstrip(".,;:!?)'")
    return f"{_speak(body)} {match.group()[len(body) :]}".strip()


def _domain(match: re.Match[str]) -> str:
    """Say a bare domain ("example.com"); initials and a missing space ("end.In") are none."""
    host = re.split("[/?#]", match.group())[0]
    *labels, last = host.split(".")
    if (last[0].isupper() and not host.isupper()) or max(map(len, labels)) == 1:
        return match.group()
    return _address(match) if any(map(str.isalpha, [*labels, last])) else match.group()


def _hashtag(match: re.Match[str]) -> str:
    words = [
        digits(word) if word.isdigit() and len(word) > 4 else word
        for word in _CAMEL.split(match.group(1))
    ]
    return f"hash {' '.join(words)}"


def _handle(match: re.Match[str]) -> str:
    return f"at {_speak(' '.join(_CAMEL.split(match.group(1))))}"


RULES = (
    Rule("URL", r"(?i)\b(?:https?|ftp|file|sftp|ssh) ?: ?//\S+", _address, trigger="/"),
    Rule("mailto", r"(?i)\bmailto:(?=\S+@)", "", trigger="@"),
    Rule(
        "e-mail address",
        rf"(?<![\w.+-])[\w+-][\w.+-]{{0,63}}@(?=[\w.-]{{0,200}}[A-Za-z]){_HOST}(?:\.{_HOST}){{1,5}}{_PATH}",
        _address,
        trigger="@",
    ),
    Rule("www address", rf"(?i)(?<![\w.])www(?:\.{_HOST}){{1,5}}{_PATH}", _address, trigger="."),
    Rule(
        "domain",
        rf"(?<![\w.-])(?:{_HOST}\.){{1,4}}(?i:{_TLDS})\b(?!\.[a-z])(?:[/?#][^\s\"<>]*)?",
        _domain,
        trigger=".",
    ),
    Rule(
        "file name",
        rf"(?<![\w.])(?=[\w-]*[A-Za-z])[\w-]{{1,64}}\.(?:{_FILE_TYPES})\b",
        _address,
        trigger=".",
    ),
    Rule(
        "file name in small letters",
        r"(?<![\w./-])[a-z][a-z\d_-]{1,63}\.[a-z]{2,4}(?![\w.])",
        _address,
        trigger=".",
    ),
    Rule("path", r"(?<![\w.~/])(?:~/[\w.-]+/?|~?(?:/[\w.-]+){2,}/?)", _address, trigger="/"),
    Rule("Windows path", r"(?<!\w)[A-Za-z]:\\[^\s\"<>]*", _address, trigger="\\"),
    Rule(
        "word after a dot",  # .NET, .com, .gitignore
        r"(?<![^\s(\"'])\.(?=[A-Za-z][\w-]*)",
        "dot ",
        trigger=".",
    ),
    Rule("handle", r"(?<![\w@])@([A-Za-z_]\w{1,30})\b", _handle, trigger="@"),
    Rule(
        "hashtag",
        r"(?<![\w#&])#((?:[A-Za-z]|\d{1,4}[A-Za-z]{3})\w{1,60})",
        _hashtag,
        trigger="#",
    ),
)
