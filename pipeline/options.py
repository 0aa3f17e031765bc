"""The options of speech, each in one place: its default, its range and what it does."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, fields, replace
from numbers import Integral, Real
from typing import Any, NamedTuple, TypeVar, cast

from pipeline.errors import OptionError

T = TypeVar("T")


class Option(NamedTuple):
    """What is known of an option beside its default."""

    low: float
    high: float
    step: float  # of its slider
    label: str  # on the page
    help: str  # one sentence, for the page and the commands
    is_whole: bool = False  # whole numbers alone
    is_of_vocoder: bool = False  # re-voicing can change it: the mel does not depend on it

    @property
    def expected(self) -> str:
        """Which values it takes, in words."""
        return f"{'a whole number from ' if self.is_whole else ''}{self.low} to {self.high}"


def _option(default: T, option: Option) -> T:
    """Return a field of a dataclass that carries what is known of its option."""
    return field(default=default, metadata={"option": option})


@dataclass(frozen=True, kw_only=True)
class SpeechOptions:
    """How a text is to be spoken; None leaves an option to the voice.

    The same options, text and weights repeat the audio, sample for sample, in any thread or process
    of the same machine that computes with as many threads (`torch.get_num_threads`; by default one
    a core). With more or fewer, torch splits its work at other places, and samples differ by
    rounding.

    Raises:
        OptionError: A value is out of its range.
    """

    sigma: float | None = _option(
        None,
        Option(
            *(0, 2, 0.01, "Sigma"),
            "Noise of the vocoder: low is dull and clean, high is bright and rough.",
            is_of_vocoder=True,
        ),
    )
    denoise: float | None = _option(
        None,
        Option(
            *(0, 1, 0.005, "Denoising strength"),
            "How much of the vocoder's own bias, a constant sound, is taken away.",
            is_of_vocoder=True,
        ),
    )
    rate: float = _option(
        1.0,
        Option(0.25, 4, 0.05, "Speaking rate", "Speed of speech: 2 is twice as fast, same pitch."),
    )
    seed: int = _option(
        0,
        Option(
            *(0, 2**63 - 1, 1, "Seed"),
            "The same seed repeats the same audio.",
            is_whole=True,
            is_of_vocoder=True,
        ),
    )

    def __post_init__(self) -> None:
        """Check every value."""
        for name, option in OPTIONS.items():
            value = getattr(self, name)
            if value is not None or DEFAULTS[name] is not None:
                _check(name, option, value)

    @classmethod
    def from_mapping(cls, values: Mapping[str, Any]) -> SpeechOptions:
        """Return the options among named values; what is missing or None takes its default."""
        given = {name: values[name] for name in OPTIONS if values.get(name) is not None}
        return cls(**given)

    def or_else(self, other: SpeechOptions) -> SpeechOptions:
        """Return these options; those that they leave open are another's."""
        given = {name: value for name, value in asdict(self).items() if value is not None}
        return replace(other, **given)

    def require_same_mel(self, other: SpeechOptions) -> None:
        """Raise OptionError where the mel of a speech with other options would not do for these."""
        for name, option in OPTIONS.items():
            ours, theirs = getattr(self, name), getattr(other, name)
            if ours != theirs and not option.is_of_vocoder:
                raise OptionError(
                    f"{name} is {ours!r}, expected {theirs!r} as in the speech to be re-voiced; "
                    "speak the text again to change it"
                )


OPTIONS: dict[str, Option] = {one.name: one.metadata["option"] for one in fields(SpeechOptions)}
DEFAULTS: dict[str, Any] = {one.name: one.default for one in fields(SpeechOptions)}


def parse_option(name: str, text: str) -> float:
    """Return the value of an option that is written in a command or a link.

    Raises:
        OptionError: It is no number, or out of its range.
    """
    option = OPTIONS[name]
    try:
        value = int(text) if option.is_whole else float(text)
    except ValueError:
        raise OptionError(f"{name} is {text!r}, expected {option.expected}") from None
    _check(name, option, value)
    return value


def _check(name: str, option: Option, value: object) -> None:
    is_number = isinstance(value, Integral if option.is_whole else Real)
    if not is_number or not option.low <= cast(float, value) <= option.high:
        raise OptionError(f"{name} is {value!r}, expected {option.expected}")
