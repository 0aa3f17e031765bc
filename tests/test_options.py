"""The options of speech: one list, which commands, links, programs and the page all follow."""

from __future__ import annotations

import argparse
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from fastapi.testclient import TestClient

from app.metrics import MeasuredSpeechService
from app.network.guard import NetworkOptions
from app.network.uploads import Uploads
from app.permalink import read_permalink
from app.server import build_server
from app.voice_store import VoiceStore
from pipeline import SpeechOptions, Synthesizer
from pipeline.command import add_speech_options
from pipeline.errors import OptionError, PipelineError
from pipeline.options import DEFAULTS, OPTIONS, parse_option

OTHERS = SpeechOptions(sigma=0.3, denoise=0.2, rate=1.25, seed=7)  # none at its default

ROOT = Path(__file__).parents[1]
NEW_OPTION = re.findall(
    r"```diff\n(.+?)```",
    (ROOT / "CONTRIBUTING.md").read_text(encoding="utf-8").split("## Another option")[1],
    flags=re.DOTALL,
)[0]
USES_OF_PAUSES = """
import sys
from pathlib import Path
from app.page import build_page
from app.results import Results
from app.speech_api import SpeechBody
from app.speech_service import SpeechService
from app.voice_store import VoiceStore
from pipeline import Synthesizer
from pipeline.speak import build_parser

voice = Path(sys.argv[1])
page = build_page(SpeechService(VoiceStore(voice, places=[])), Results(), None)
labels = [one["props"].get("label") for one in page.get_config_file()["components"]]
assert build_parser().parse_args(["Hi.", "out.wav", "--pauses", "1.5"]).pauses == 1.5
assert SpeechBody(model="tts-1", voice="tiny", input="Hi.", pauses=0.5).pauses == 0.5
assert "Pauses" in labels
tts = Synthesizer.load(voice, device="cpu")
text = "One. Two."
assert 0.99 < tts.speak(text, pauses=5).seconds - tts.speak(text).seconds < 1.01
"""


@pytest.fixture(scope="module")
def tts(tiny_voice: Path) -> Synthesizer:
    return Synthesizer.load(tiny_voice, device="cpu")


@pytest.fixture(scope="module")
def store(tiny_voice: Path) -> VoiceStore:
    return VoiceStore(tiny_voice, places=[], device="cpu")


@pytest.fixture(scope="module")
def client(store: VoiceStore, tmp_path_factory: pytest.TempPathFactory) -> Iterator[TestClient]:
    network = NetworkOptions(uploads=Uploads(tmp_path_factory.mktemp("uploads"), max_bytes=0))
    server = build_server(MeasuredSpeechService(store), finetune_jobs=None, network=network)
    with TestClient(server, base_url="http://localhost") as client:
        yield client


@pytest.mark.parametrize("name", OPTIONS)
def test_both_ends_of_a_range_are_good_and_nothing_beyond(name: str) -> None:
    option = OPTIONS[name]
    for good in (option.low, option.high):
        assert getattr(SpeechOptions(**{name: good}), name) == good
        assert parse_option(name, str(good)) == good
    for bad in (option.low - 1, option.high + 1, float("nan"), "loud"):
        with pytest.raises(OptionError, match=f"^{name} is .+, expected .*{option.low} to"):
            SpeechOptions(**{name: bad})
        with pytest.raises(OptionError, match=f"^{name} is .+, expected .*{option.low} to"):
            parse_option(name, str(bad))


def test_a_seed_is_a_whole_number() -> None:
    with pytest.raises(OptionError, match=r"seed is 1\.5, expected a whole number from 0 to"):
        SpeechOptions(seed=1.5)  # type: ignore[arg-type]


def test_a_wrong_option_is_an_error_of_ours_and_of_values() -> None:
    for kind in (PipelineError, ValueError):
        with pytest.raises(kind):
            SpeechOptions(rate=0.0)


def test_what_is_left_open_is_anothers() -> None:
    assert SpeechOptions(seed=1).or_else(OTHERS) == replace(OTHERS, rate=1.0, seed=1)
    assert OTHERS.or_else(SpeechOptions()) == OTHERS


def test_options_and_single_names_speak_the_same(tts: Synthesizer) -> None:
    speech = tts.speak("Hello.", OTHERS)
    assert speech.options == OTHERS
    assert np.array_equal(speech.audio, tts.speak("Hello.", **asdict(OTHERS)).audio)
    assert np.array_equal(speech.audio, tts.speak("Hello.", replace(OTHERS, seed=1), seed=7).audio)
    assert tts.speak("Hello.").options == tts.voice.options


def test_revoicing_cannot_change_the_mel(tts: Synthesizer) -> None:
    speech = tts.speak("Hello.")
    with pytest.raises(OptionError, match=r"rate is 2\.0, expected 1\.0"):
        tts.revoice(speech, rate=2.0)


def test_the_command_has_a_flag_for_each() -> None:
    parser = argparse.ArgumentParser()
    add_speech_options(parser)
    assert SpeechOptions.from_mapping(vars(parser.parse_args([]))) == SpeechOptions()
    flags = [text for name, value in asdict(OTHERS).items() for text in (f"--{name}", str(value))]
    assert SpeechOptions.from_mapping(vars(parser.parse_args(flags))) == OTHERS


def test_a_link_keeps_each_and_passes_over_what_is_wrong(store: VoiceStore) -> None:
    query = {name: str(value) for name, value in asdict(OTHERS).items()}
    assert read_permalink(query, store).options == OTHERS
    own = store.voices()[store.default].options
    for wrong in ("inf", "nan", "-1", "loud", ""):
        assert read_permalink(dict.fromkeys(OPTIONS, wrong), store).options == own


def test_programs_may_send_each(client: TestClient) -> None:
    body = client.get("/openapi.json").json()["components"]["schemas"]["SpeechBody"]["properties"]
    assert body.keys() >= OPTIONS.keys() - {"rate"} | {"speed"}
    assert "rate" not in body  # OpenAI calls it speed


def test_gradios_clients_learn_each_with_its_default(client: TestClient) -> None:
    speak = client.get("/gradio_api/info").json()["named_endpoints"]["/speak"]
    told: dict[str, Any] = {
        one["parameter_name"]: (one["parameter_has_default"], one["parameter_default"])
        for one in speak["parameters"]
    }
    assert list(told) == ["text", "voice", "vocoder", *OPTIONS]
    assert {name: told[name] for name in OPTIONS} == {
        name: (True, default) for name, default in DEFAULTS.items()
    }


def test_the_page_has_a_control_for_each(client: TestClient, tts: Synthesizer) -> None:
    shown = [one["props"] for one in client.get("/config").json()["components"]]
    values = asdict(SpeechOptions().or_else(tts.voice.options))
    for name, option in OPTIONS.items():
        (control,) = [props for props in shown if props.get("label") == option.label]
        assert (control["minimum"], control["maximum"]) == (option.low, option.high)
        assert control["value"] == values[name]


def apply(diff: str, root: Path) -> None:
    """Change files as a diff says whose ` # path` lines name them; each hunk must fit once."""
    _, *parts = re.split(r"^ # (\S+)\n", diff, flags=re.MULTILINE)
    for path, hunk in zip(parts[::2], parts[1::2], strict=True):
        lines = hunk.splitlines(keepends=True)
        old = "".join(line[1:] for line in lines if not line.startswith("+"))
        new = "".join(line[1:] for line in lines if not line.startswith("-"))
        text = (root / path).read_text(encoding="utf-8")
        assert text.count(old) == 1, f"{path} has {text.count(old)} places for {old!r}"
        (root / path).write_text(text.replace(old, new), encoding="utf-8")


@pytest.mark.slow
def test_a_new_option_is_one_field_and_its_use(tiny_voice: Path, tmp_path: Path) -> None:
    assert NEW_OPTION.count("\n") <= 15
    for room in ("text", "pipeline", "app"):
        shutil.copytree(ROOT / room, tmp_path / room, ignore=shutil.ignore_patterns("__pycache__"))
    apply(NEW_OPTION, tmp_path)
    done = subprocess.run(
        [sys.executable, "-c", USES_OF_PAUSES, str(tiny_voice)],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
