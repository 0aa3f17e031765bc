"""What is asked for a single sentence of a book that is spoken already."""

from __future__ import annotations

import re
from dataclasses import asdict, dataclass, replace
from typing import NamedTuple

from pipeline.errors import PipelineError
from pipeline.options import SpeechOptions

_PLACE = re.compile(r"(\d{1,6}):(\d{1,7})")


class Place(NamedTuple):
    """Which sentence of a book: both count from 1."""

    chapter: int
    sentence: int

    @classmethod
    def parse(cls, text: str) -> Place:
        """Return the place that is written as 3:12.

        Raises:
            PipelineError: It is written in another way.
        """
        match = _PLACE.fullmatch(text.strip())
        if match is None:
            raise PipelineError(f"The place is {text!r}, expected CHAPTER:SENTENCE such as 3:12")
        return cls(*map(int, match.groups()))

    def __str__(self) -> str:
        """Return it as `parse` takes it."""
        return f"{self.chapter}:{self.sentence}"


@dataclass(frozen=True, kw_only=True)
class Change:
    """How one sentence differs from the rest of its book; None leaves a value as it is."""

    text: str | None = None
    sigma: float | None = None
    denoise: float | None = None
    rate: float | None = None
    seed: int | None = None

    def options(self, options: SpeechOptions) -> SpeechOptions:
        """Return the options of the sentence."""
        values = {name: value for name, value in asdict(self).items() if name != "text"}
        return replace(options, **{k: value for k, value in values.items() if value is not None})
