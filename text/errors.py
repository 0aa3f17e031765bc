"""The one error of the text front end."""


class TextError(ValueError):
    """Text, markup or a lexicon that cannot be spoken.

    Attributes:
        position: Offset of the offending character in the text that was given.
    """

    def __init__(self, message: str, position: int) -> None:
        super().__init__(f"{message} (at position {position})")
        self.position = position
