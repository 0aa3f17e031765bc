"""The form of a rule: a pattern of written text, and the function that says it in words."""

import re
from collections.abc import Callable, Iterable
from functools import cached_property, lru_cache

DIGITS = "0123456789"
ALWAYS = ""

START = r"(?<![\w.,])"
"""Pattern of a place where a number may begin, with its sign.

It keeps the search linear, and quick: a rule whose pattern begins with it is tried nowhere but at
digits, points and signs.
"""

_HEAD = re.compile(r"[\d.#-](?<![\w.,].)")


class Rule:
    """One written form and how it is read.

    Patterns must stay linear: a run of digits or letters begins with a look-behind, so that the
    search does not begin anew inside the run, and what repeats across spaces is bounded.
    """

    def __init__(
        self,
        name: str,
        pattern: str,
        speak: Callable[[re.Match[str]], str] | str,
        *,
        trigger: str = DIGITS,
    ) -> None:
        """Make a rule.

        Args:
            name: What the rule reads, as `text.trace` shows it; no other rule has the same.
            pattern: A regular expression, case sensitive unless it says `(?i)`.
            speak: Gives the words for a match, or the match's own text to decline it; or the
                words themselves, with groups as `re.sub` knows them.
            trigger: Characters of which the text must have one, else the pattern is not tried;
                `ALWAYS` tries it on every text.
        """
        self.name = name
        self._pattern = pattern
        self._begins_a_number = pattern.startswith(START)
        self._speak = speak
        self.trigger = frozenset(trigger or [ALWAYS])

    def apply(self, text: str) -> str:
        """Return the text with every match spoken."""
        if not self._begins_a_number:
            return self._compiled.sub(self._speak, text)
        pieces: list[str] = []
        done = 0
        for start, end, after in self.changes(text):
            pieces += (text[done:start], after)
            done = end
        return "".join([*pieces, text[done:]]) if pieces else text

    def changes(self, text: str) -> list[tuple[int, int, str]]:
        """Return where `apply` changes a text: start, end, and what stands there afterwards."""
        changes = []
        for match in self._matches(text):
            after = (
                match.expand(self._speak) if isinstance(self._speak, str) else self._speak(match)
            )
            if after != match.group():
                changes.append((match.start(), match.end(), after))
        return changes

    def _matches(self, text: str) -> Iterable[re.Match[str]]:
        if not self._begins_a_number:
            return self._compiled.finditer(text)
        matches = []
        done = 0
        for head in _heads(text):
            if head >= done and (match := self._compiled.match(text, head)):
                matches.append(match)
                done = match.end()
        return matches

    @cached_property
    def _compiled(self) -> re.Pattern[str]:
        # Compiled on first use: importing the package must stay quick.
        return re.compile(self._pattern)


@lru_cache(maxsize=8)
def _heads(text: str) -> list[int]:
    """Return the places where `START` may match, the same for rule after rule."""
    return [match.start() for match in _HEAD.finditer(text)]


def apply_rules(rules: Iterable[Rule], text: str) -> str:
    """Return the text after all rules, each applied once, in order."""
    characters = characters_of(text)
    for rule in rules:
        if not rule.trigger.isdisjoint(characters):
            spoken = rule.apply(text)
            if spoken != text:
                text, characters = spoken, characters_of(spoken)
    return text


def characters_of(text: str) -> set[str]:
    """Return what the triggers of rules are held against."""
    return {ALWAYS, *text}


def one_of(names: Iterable[str]) -> str:
    """Return the pattern that matches any of some names, the longest first."""
    return "|".join(re.escape(name) for name in sorted(names, key=lambda name: (-len(name), name)))


def words(row: str) -> frozenset[str]:
    """Return the words of a table's row."""
    return frozenset(row.split())


def text_before(match: re.Match[str], length: int) -> str:
    """Return at most so many characters that stand before a match."""
    return match.string[max(0, match.start() - length) : match.start()]


def text_after(match: re.Match[str], length: int) -> str:
    """Return at most so many characters that stand behind a match."""
    return match.string[match.end() : match.end() + length]
