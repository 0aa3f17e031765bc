"""The one error of the text front end."""

from __future__ import annotations


class TextError(ValueError):
    """Text, markup or a lexicon that cannot be spoken.

    Attributes:
        reason: What is wrong, without the place.
        position: Offset of the offending character in the text that was given.
    """

    def __init__(self, reason: str, position: int) -> None:
        super().__init__(f"{reason} (at position {position})")
        self.reason = reason
        self.position = position

    def __reduce__(self) -> tuple[type[TextError], tuple[str, int]]:
        """Come whole out of another process."""
        return type(self), (self.reason, self.position)
