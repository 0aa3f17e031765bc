"""What the classifier sees of a word: its neighbours, their endings, and what these may be.

A feature is a string. Its first characters name its family; places are numbered from 0, four
words before the word in question, to 8, four words after it.
"""

from collections.abc import Sequence

from text.homographs.word_classes import classes

_REACH = 4  # words to each side that have a place
_BAG = 8  # words to each side that count wherever they stand
_SENTENCE = 25  # words to each side that are looked at for verbs
_GOVERNOR = 6  # words to each side in which a word of a closed class is sought
_EDGE = "|"  # beyond the beginning or the end
_MARKS = frozenset("!'(),.:;?-")
_STOPS = frozenset(".!?")
_ADVERBS = frozenset(("R", "q", "n", "JR"))
_FINITE = frozenset(("D", "Z", "m", "b", "h"))


def features(words: Sequence[str], index: int) -> list[str]:
    """Return the features of a word.

    Args:
        words: Words and marks of a text, without the spaces.
        index: Which one is asked about.
    """
    words, index = _sentence(words, index)
    window = [_at(words, place) for place in range(index - _REACH, index + _REACH + 1)]
    lower = [word.lower() for word in window]
    kinds = [_kind(word) for word in window]
    return [
        *_neighbours(window, lower, kinds),
        *_combinations(lower, kinds),
        *_capitals(words, index),
        *_bag(words, index),
        *_governor(words, index, kinds[_REACH + 1], lower[_REACH + 1]),
        *_coordination(words, index),
    ]


def _sentence(words: Sequence[str], index: int) -> tuple[Sequence[str], int]:
    """Return the sentence around a word, as far as it is looked at, and the word's place in it."""
    start = stop = index
    while start > max(0, index - _SENTENCE) and words[start - 1] not in _STOPS:
        start -= 1
    while stop < min(len(words), index + _SENTENCE) and words[stop] not in _STOPS:
        stop += 1
    return words[start : stop + 1], index - start


def _at(words: Sequence[str], index: int) -> str:
    return words[index] if 0 <= index < len(words) else _EDGE


def _kind(word: str) -> str:
    """Return the classes of a word, the mark itself, P for a name, or a word's ending."""
    if word in _MARKS or word == _EDGE:
        return word
    return classes(word.lower()) or ("P" if word[0].isupper() else f"?{word[-2:]}")


def _neighbours(window: list[str], lower: list[str], kinds: list[str]) -> list[str]:
    found = []
    for place, kind in enumerate(kinds):
        if place == _REACH:
            continue
        found.append(f"{place}t{kind}")
        if 0 < place < 2 * _REACH:
            found += [f"{place}w{lower[place]}", f"{place}s{lower[place][-3:]}"]
            if len(kind) > 1 and kind.isalpha():
                found += [f"{place}k{letter}" for letter in kind]
            if window[place][:1].isupper():
                found.append(f"{place}C")
    return found


def _combinations(word: list[str], kind: list[str]) -> list[str]:
    return [
        f"wl{word[2]} {word[3]}",
        f"wr{word[5]} {word[6]}",
        f"wm{word[3]} {word[5]}",
        f"wt{word[3]} {kind[5]}",
        f"tw{kind[3]} {word[5]}",
        f"tl{kind[2]} {kind[3]}",
        f"tr{kind[5]} {kind[6]}",
        f"tm{kind[3]} {kind[5]}",
        f"tL{kind[1]} {kind[2]} {kind[3]}",
        f"tM{kind[2]} {kind[3]} {kind[5]}",
        f"tR{kind[3]} {kind[5]} {kind[6]}",
    ]


def _capitals(words: Sequence[str], index: int) -> list[str]:
    found = ["always"]
    if words[index][0].isupper():
        before, after = (_at(words, index + step)[0].isupper() for step in (-1, 1))
        found += ["C" if index else "C0", f"C{before:d}{after:d}"]
    return found


def _bag(words: Sequence[str], index: int) -> list[str]:
    near = words[max(0, index - _BAG) : index + _BAG + 1]
    n_finite = sum(
        classes(word.lower()) in _FINITE for place, word in enumerate(words) if place != index
    )
    left = [classes(word.lower())[:1] or "P" for word in words[max(0, index - 4) : index]]
    return [
        *sorted({f"b{word.lower()}" for word in near if len(word) > 2}),
        f"f{min(n_finite, 3)}",
        f"L{''.join(left)}",
    ]


def _governor(words: Sequence[str], index: int, kind_after: str, word_after: str) -> list[str]:
    """Return the nearest word to the left that is no adverb, and the nearest closed classes."""
    place = index - 1
    while place > 0 and classes(words[place].lower()) in _ADVERBS:
        place -= 1
    word = _at(words, place)
    kind = _kind(word)
    found = [
        f"gw{word.lower()}",
        f"gt{kind}",
        f"gT{kind} {kind_after}",
        f"gW{kind} {word_after}",
    ]
    for distance in range(1, min(index, _GOVERNOR) + 1):
        word = words[index - distance].lower()
        kind = classes(word)
        if len(kind) == 1 and kind.islower():
            found += [f"c{kind}{min(distance, 4)}", f"cw{word}", f"ct{kind} {kind_after}"]
            break
    for distance in range(1, min(len(words) - index - 1, _GOVERNOR) + 1):
        kind = _kind(words[index + distance])
        if len(kind) == 1 and not kind.isupper():
            found += [f"d{kind}{min(distance, 4)}", f"dt{kind}"]
            break
    return found


def _coordination(words: Sequence[str], index: int) -> list[str]:
    """Return what stands on the other side of an "and" or "or"."""
    return [
        f"&{step}{_kind(_at(words, index + 2 * step))}"
        for step in (-1, 1)
        if _at(words, index + step).lower() in ("and", "or")
    ]
