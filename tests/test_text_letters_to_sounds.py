"""Words outside the dictionary: error rates on words never trained on, names of today, laws."""

import random
import string
import time
from array import array
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import text
from text import encode, normalize, pronounce
from text.dictionary import look_up
from text.letters_to_sounds import guess
from text.letters_to_sounds.alignment import align
from text.letters_to_sounds.corpus import read_entries, split
from text.letters_to_sounds.estimation import estimate
from text.letters_to_sounds.evaluation import edit_distance, evaluate
from text.letters_to_sounds.model import WEIGHTS_PATH, LettersToSounds
from text.letters_to_sounds.weights import Weights, read_weights, write_weights
from text.symbols import PHONES

ADDITIONS = Path(text.__file__).with_name("additions.txt")
NAMES = {
    "\u0141\u00f3d\u017a": "W UH CH",
    "Abuja": "AH B UW JH AH",
    "Airbnb": "EH R B IY AH N B IY",
    "Alcaraz": "AA L K AA R AA S | AE L K ER AE Z | AA L K AA R AA Z",
    "Anthropic": "AE N TH R AA P IH K",
    "Beyonc\u00e9": "B IY AA N S EY",
    "Bezos": "B EY Z OW S | B EH Z OW Z",
    "Bolsonaro": "B OW L S AH N AA R OW | B OW L S OW N AA R OW",
    "ByteDance": "B AY T D AE N S",
    "Chalamet": "SH AE L AH M EY",
    "ChatGPT": "CH AE T JH IY P IY T IY",
    "Copilot": "K OW P AY L AH T",
    "DeepSeek": "D IY P S IY K",
    "Dimitrova": "D IH M IH T R OW V AH | D IH M IY T R OW V AH",
    "Djokovic": "JH OW K AH V IH CH",
    "eBay": "IY B EY",
    "Ejiofor": "EH JH IY OW F AO R",
    "FastAPI": "F AE S T EY P IY AY",
    "Figma": "F IH G M AH",
    "GitHub": "G IH T HH AH B",
    "Goethe": "G ER T AH",
    "Gorbatov": "G AO R B AH T AA V | G AO R B AH T AO V",
    "Grafana": "G R AH F AA N AH | G R AH F AE N AH | G R AA F AA N AH",
    "Huawei": "W AA W EY | HH W AA W EY",
    "iPhone": "AY F OW N",
    "JavaScript": "JH AA V AH S K R IH P T | JH AE V AH S K R IH P T",
    "Kharkiv": "K AA R K IH V | HH AA R K IH V",
    "Kubernetes": "K UW B ER N EH T IY Z | K UW B ER N EH T IY S",
    "Kyiv": "K IY IH V | K IY V",
    "Louboutin": "L UW B UW T AE N | L UW B AH T AA N",
    "Lululemon": "L UW L UW L EH M AH N",
    "Macron": "M AH K R OW N | M AA K R OW N",
    "Marseille": "M AA R S EY",
    "Mbapp\u00e9": "EH M B AA P EY",
    "McDonald": "M AH K D AA N AH L D",
    "Midjourney": "M IH D JH ER N IY",
    "MySQL": "M AY EH S K Y UW EH L",
    "Nadella": "N AH D EH L AH",
    "Neuralink": "N UH R AH L IH NG K | N Y UH R AH L IH NG K | N Y UW R AH L IH NG K"
    " | N UW R AH L IH NG K",
    "Niamh": "N IY V",
    "Nvidia": "EH N V IH D IY AH",
    "Oaxaca": "W AH HH AA K AH | W AA HH AA K AH",
    "OpenAI": "OW P AH N EY AY",
    "Ozempic": "OW Z EH M P IH K | AH Z EH M P IH K",
    "Phuket": "P UW K EH T",
    "Pichai": "P IH CH AY",
    "Prigozhin": "P R IH G OW ZH IH N",
    "Reykjavik": "R EY K Y AH V IH K | R EH K Y AH V IH K",
    "Rivian": "R IH V IY AH N",
    "Saoirse": "S ER SH AH | S IH R SH AH",
    "Shopify": "SH AA P AH F AY",
    "Sinner": "S IH N ER",
    "SpaceX": "S P EY S EH K S",
    "Terraform": "T EH R AH F AO R M",
    "TikTok": "T IH K T AA K",
    "Xiaomi": "SH AW M IY | SH IY AW M IY | ZH AW M IY",
    "YouTube": "Y UW T UW B",
    "Zelensky": "Z AH L EH N S K IY | Z EH L EH N S K IY | Z IH L EH N S K IY",
}


@pytest.mark.parametrize(("name", "phones"), NAMES.items())
def test_names_of_today(name: str, phones: str) -> None:
    (token,) = pronounce(name)
    assert " ".join(phone.rstrip("012") for phone in token.phones or ()) in phones.split(" | ")


def test_additions_are_sorted_and_say_what_the_dictionary_does_not() -> None:
    lines = ADDITIONS.read_text(encoding="utf-8").splitlines()
    entries = [line.split() for line in lines if not line.startswith("#")]
    words = [word for word, *_ in entries]
    assert words == sorted(set(words))
    for word, *phones in entries:
        assert set(phones) <= set(PHONES), word
        assert look_up(word) != tuple(phones), word


def test_words_kept_apart_are_not_among_those_to_train_on() -> None:
    training, tuning, testing = split(read_entries())
    assert (len(tuning), len(testing)) == (2_500, 5_000)
    bases = {word.partition("'")[0] for word in training}
    assert bases.isdisjoint(tuning)
    assert bases.isdisjoint(testing)
    assert set(tuning).isdisjoint(testing)


def test_words_never_trained_on_are_mostly_right() -> None:
    _, _, testing = split(read_entries())
    scores = evaluate(guess, dict(list(testing.items())[:500]))
    assert scores.phone_errors < 8.5
    assert scores.word_errors < 33


@pytest.mark.slow
def test_error_rates_of_all_words_kept_apart() -> None:
    _, _, testing = split(read_entries())
    scores = evaluate(guess, testing)
    assert scores.phone_errors <= 7
    assert scores.word_errors <= 29
    assert scores.milliseconds_per_word < 5  # 2 on an idle core


@settings(max_examples=200, deadline=None)
@given(st.text(string.ascii_lowercase + "'", min_size=1, max_size=20))
def test_any_letters_have_phones_of_the_symbol_table_and_one_primary_stress(word: str) -> None:
    phones = guess(word)
    assert set(phones) <= set(PHONES)
    assert guess(word) is phones  # kept in memory
    vowels = [phone for phone in phones if phone[-1].isdigit()]
    assert sum(phone.endswith("1") for phone in vowels) == min(1, len(vowels))


def test_the_same_weights_guess_the_same() -> None:
    again = LettersToSounds(read_weights(WEIGHTS_PATH))
    for word in ("zwarbler", "kubernetes", "qat"):
        assert again.guess(word) == guess(word)


def test_any_text_that_normalizes_can_be_encoded() -> None:
    generator = random.Random(0)
    alphabet = string.ascii_letters + "'-.,\u00e9\u00df\u0142\u03b1\u0436\u4e2d "
    for _ in range(200):
        text = "".join(generator.choices(alphabet, k=30))
        normalized = normalize(text)
        tokens = pronounce(normalized)
        assert "".join(token.written for token in tokens) == normalized
        assert encode(normalized) == encode(normalized)


def test_a_very_long_word_is_spelled() -> None:
    start = time.process_time()
    (token,) = pronounce("ab" * 2_000)
    assert token.source == "letters"
    assert time.process_time() - start < 2


@settings(max_examples=200, deadline=None)
@given(st.text(string.ascii_letters, min_size=1, max_size=20))
def test_any_word_has_phones_its_stress_and_a_source(word: str) -> None:
    (token,) = pronounce(word)
    assert token.phones
    assert set(token.phones) <= set(PHONES)
    if token.source in ("guess", "letters"):  # the dictionary has words without a stress
        assert any(phone.endswith("1") for phone in token.phones)
    assert pronounce(word) == [token]


def test_alignment_gives_each_letter_its_phones() -> None:
    entries = [("cat", ("K", "AE1", "T")), ("tax", ("T", "AE1", "K", "S")), ("at", ("AE1", "T"))]
    aligned = align([*entries * 3, ("w", ("D", "AH1", "B", "AH0", "L"))])
    assert aligned[:3] == [
        [("c", ("K",)), ("a", ("AE1",)), ("t", ("T",))],
        [("t", ("T",)), ("a", ("AE1",)), ("x", ("K", "S"))],
        [("a", ("AE1",)), ("t", ("T",))],
    ]
    assert len(aligned) == 9  # what has more than two phones a letter is left out


def test_the_language_model_sums_to_one_after_each_history() -> None:
    generator = random.Random(0)
    sequences = [
        [0, *(2 + min(generator.randrange(6), generator.randrange(6)) for _ in range(5)), 1]
        for _ in range(400)
    ]
    model = estimate(sequences, order=3)
    items = {gram[0] for gram in model.probabilities if len(gram) == 1}

    def probability(history: tuple[int, ...], item: int) -> float:
        if (*history, item) in model.probabilities:
            return model.probabilities[*history, item]
        return model.backoffs[history] * probability(history[1:], item)

    histories = {gram[:-1] for gram in model.probabilities}
    for history in histories:
        assert sum(probability(history, item) for item in items) == pytest.approx(1), history


@pytest.mark.parametrize(
    ("first", "second", "distance"),
    [("", "", 0), ("K AE T", "K AE T", 0), ("K AE T", "AE T S", 2), ("", "K AE", 2)],
)
def test_edit_distance(first: str, second: str, distance: int) -> None:
    assert edit_distance(tuple(first.split()), tuple(second.split())) == distance


def test_weights_are_small_and_survive_their_file(tmp_path: Path) -> None:
    assert WEIGHTS_PATH.stat().st_size < 4_000_000
    weights = Weights(
        ["a AE1", "x K S"],
        array("H", [0, 2, 3, 300]),
        array("H", [3, 0, 0, 0]),
        b"\0\1\2\3",
        b"\0" * 4,
    )
    write_weights(weights, tmp_path / "weights.xz")
    assert read_weights(tmp_path / "weights.xz") == weights
