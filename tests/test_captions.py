"""Captions: nothing lost, no line too long, in the forms that players read."""

from __future__ import annotations

import json
import re
from itertools import pairwise
from pathlib import Path

import pytest

from pipeline.caption_formats import Cue
from pipeline.captions import LINE_LENGTH, MAX_LINES, cues, write_captions
from tests.steady_speech import steady_speech

PLAIN = (
    "He said (quietly) that the men, the women and the children of the village had gone to the "
    "river because they were thirsty; nobody came back\u2014not one. It cost $5.50, all told. "
    "Really? Yes. A well-known, long-standing problem of the twenty-first century remains unsolved."
)
ADDRESS = "It is at example.org/a/path/that/is/much/longer/than/a/line/of/captions now."


def shown_for(text: str) -> list[Cue]:
    return list(cues(steady_speech(text).heard()))


@pytest.mark.parametrize("text", [PLAIN, ADDRESS, "one, two, three, four, five, six, " * 12])
def test_captions_hold_the_text_in_short_lines_and_do_not_overlap(text: str) -> None:
    shown = shown_for(text)
    lines = [line for cue in shown for line in cue.lines]
    assert "".join("".join(lines).split()) == "".join(text.split())
    assert all(0 < len(line) <= LINE_LENGTH for line in lines)
    assert all(1 <= len(cue.lines) <= MAX_LINES for cue in shown)
    assert all(cue.start < cue.end for cue in shown)
    assert all(cue.end <= following.start + 1e-9 for cue, following in pairwise(shown))


def test_lines_break_at_phrases_and_sentences_begin_cues() -> None:
    shown = [cue.lines for cue in shown_for(PLAIN)]
    ends = [line.split()[-1] for lines in shown for line in lines]
    assert not {"the", "and", "that", "a"} & set(ends)
    assert any(lines[0].startswith("It cost $5.50,") for lines in shown)


def test_short_sentences_are_shown_together_long_enough_to_read() -> None:
    shown = shown_for("No. Yes. The end of it all is near.")
    assert shown[0].lines == ("No.", "Yes.")
    (alone,) = shown_for("Hi.")
    assert alone.end - alone.start == pytest.approx(1.0)


def test_markup_is_not_shown() -> None:
    text = "# A **bold** [link](http://x.org/y)\n\n- `code` first\n\nThen: *the* end."
    lines = [line for cue in shown_for(text) for line in cue.lines]
    assert " ".join(lines) == "A bold link code first Then: the end."
    spoken = "<speak>AT&amp;T <break time='1s'/> is <emphasis>big</emphasis></speak>"
    assert [line for cue in shown_for(spoken) for line in cue.lines] == ["AT&T", "is big"]


def test_each_format_is_as_players_read_it(tmp_path: Path) -> None:
    speech = steady_speech("Pay $5 & go. Hi there, all of you <3 others.")
    for suffix in (".srt", ".vtt", ".json"):
        words = [word.as_json() for word in speech.words]
        write_captions(tmp_path / f"out{suffix}", cues(speech.heard()), words)
    srt = (tmp_path / "out.srt").read_text()
    assert re.match(r"1\n00:00:00,000 --> 00:00:0\d,\d{3}\nPay \$5", srt)
    vtt = (tmp_path / "out.vtt").read_text()
    assert re.match(r"WEBVTT\n\n00:00:00\.000 --> 00:00:0\d\.\d{3}\nPay \$5", vtt)
    assert "<" not in vtt
    facts = json.loads((tmp_path / "out.json").read_text())
    assert facts["words"][1]["written"] == "$5"
    assert facts["words"][1]["spoken"] == "five dollars"
    assert facts["cues"][0]["start"] == 0.0
