"""Recording mode in a real browser, with a microphone that hears a file."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import soundfile

from tests.app_server import Running, running
from tests.test_app_browser import CHROMIUM, SWITCHES, open_page
from tests.tiny_training import AUDIO, voiced

pytestmark = pytest.mark.browser
LISTENING_MS = 6_000


@pytest.fixture(scope="module")
def microphone(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Any]:
    """A browser whose microphone hears the room, then four seconds of speech, then the room."""
    if CHROMIUM is None:
        pytest.skip("no chromium on this machine: apt-get install chromium")
    from playwright.sync_api import sync_playwright

    room = np.random.default_rng(0).normal(0, 0.0005, 30 * AUDIO.sample_rate)
    room[AUDIO.sample_rate : 5 * AUDIO.sample_rate] += voiced(4.0)
    heard = tmp_path_factory.mktemp("microphone") / "heard.wav"
    soundfile.write(heard, room, AUDIO.sample_rate, subtype="PCM_16")
    fake = ("--use-fake-ui-for-media-stream", "--use-fake-device-for-media-stream")
    switches = [*SWITCHES, *fake, f"--use-file-for-fake-audio-capture={heard}"]
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=switches)
        yield browser
        browser.close()


@pytest.fixture(scope="module")
def server(tiny_voice: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    folder = tmp_path_factory.mktemp("page")
    with running(tiny_voice, "--runs", str(folder), work_dir=folder) as server:
        yield server


def test_a_prompt_is_read_judged_kept_and_trained_on(microphone: Any, server: Running) -> None:
    context = microphone.new_context(viewport={"width": 1280, "height": 1500})
    page = open_page(context, server.url)
    page.get_by_role("tab", name="Fine-tune").click()
    page.get_by_role("tab", name="Microphone").click()
    prompt = page.locator("#prompt .prompt")
    first = prompt.inner_text()
    page.get_by_role("button", name="Record", exact=True).click()
    page.wait_for_timeout(LISTENING_MS)
    page.get_by_role("button", name="Stop", exact=True).click()
    page.get_by_text(re.compile(r"Good: .* dB above the noise")).wait_for()
    page.get_by_role("button", name="Keep and next").click()
    page.get_by_text("Kept.").wait_for()
    page.get_by_text("1 of 130 sentences are recorded, 0.1 minutes").wait_for()
    assert prompt.inner_text() != first
    page.get_by_role("button", name="Train").click()
    page.get_by_text("Write down who speaks and what they have agreed to").wait_for()
    page.get_by_label("Speaker", exact=True).fill("Alice")
    page.get_by_label("Consent").fill("Agreed on 3 May to all uses.")
    page.get_by_role("button", name="Train").click()
    page.get_by_text(re.compile(r"Failed: \d+ s of good speech in 1 clips")).wait_for()
    page.get_by_role("button", name="Take back the last").click()
    page.get_by_text("0 of 130 sentences are recorded").wait_for()
    assert prompt.inner_text() == first
    context.close()
