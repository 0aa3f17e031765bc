"""A user's lexicon file is checked line by line."""

from pathlib import Path

import pytest

from text import TextError, load_lexicon, pronounce


def write(folder: Path, text: str) -> Path:
    path = folder / "lexicon.txt"
    path.write_text(text, encoding="utf-8")
    return path


def test_words_of_a_lexicon_and_their_inflections_are_spoken_its_way(tmp_path: Path) -> None:
    path = write(tmp_path, "# names\n\nNguyen  W IH1 N\ncaf\u00e9 K AH0 F EY1\n")
    lexicon = load_lexicon(path)
    assert lexicon == {"nguyen": ("W", "IH1", "N"), "caf\u00e9": ("K", "AH0", "F", "EY1")}
    tokens = pronounce("Nguyen Nguyen's caf\u00e9", lexicon=lexicon)
    assert [token.source for token in tokens[::2]] == ["lexicon", "morphology", "lexicon"]
    assert tokens[2].phones == ("W", "IH1", "N", "Z")


def test_a_word_with_two_readings_is_read_by_its_neighbours(tmp_path: Path) -> None:
    lexicon = load_lexicon(
        write(tmp_path, "zimmet:noun Z IH1 M IH0 T\nzimmet:verb Z IH0 M EH1 T\n")
    )
    tokens = pronounce("I want to zimmet the old zimmet.", lexicon=lexicon)
    verb, noun = (token for token in tokens if token.written == "zimmet")
    assert (verb.phones, verb.reading) == (("Z", "IH0", "M", "EH1", "T"), "zimmet:verb")
    assert (noun.phones, noun.reading) == (("Z", "IH1", "M", "IH0", "T"), "zimmet:noun")


def test_a_lexicon_goes_before_the_learned_readings(tmp_path: Path) -> None:
    lexicon = load_lexicon(write(tmp_path, "lead L EH1 D\n"))
    tokens = pronounce("they lead the way", lexicon=lexicon)
    assert (tokens[2].phones, tokens[2].source) == (("L", "EH1", "D"), "lexicon")


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("good G UH1 D\nbad", "line 2: 'bad' has no phones"),
        ("bad B AE9 D", "line 1: 'AE9' is not an ARPAbet phone"),
        ("a AH0\n\nA EY1", "line 3: 'a' stands in the file twice"),
        ("lead:adverb L EH1 D", "line 1: 'lead:adverb' is tagged 'adverb'; write :noun or :verb"),
        ("lead:noun L EH1 D", "'lead:noun' stands without 'lead:verb'"),
    ],
)
def test_errors_name_the_line(tmp_path: Path, text: str, message: str) -> None:
    with pytest.raises(TextError, match=message):
        load_lexicon(write(tmp_path, text))
