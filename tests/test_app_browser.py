"""The page in a real browser: what a visitor does, sees and hears."""

from __future__ import annotations

import io
import shutil
import warnings
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import soundfile

from pipeline import Synthesizer
from pipeline.mel import AudioConfig
from tests.app_server import Running, running
from tests.timing import PATIENCE_SECONDS
from tests.tiny_training import voiced

pytestmark = pytest.mark.browser
CHROMIUM = shutil.which("chromium") or shutil.which("google-chrome")
SWITCHES = (
    *("--no-sandbox", "--disable-dev-shm-usage", "--disable-gpu", "--mute-audio"),
    *("--autoplay-policy=no-user-gesture-required", "--no-first-run"),
    *("--disable-background-networking", "--disable-component-update", "--disable-sync"),
)
PLAYER = "document.querySelector('#player speech-player')"
TEXT = "Dr. Lee paid $5. How are you?"
# Source: W3C Web Content Accessibility Guidelines 2.2, contrast ratio and relative luminance.
CONTRAST_OF_SELECTED_TAB = """() => {
  const colour = (value) => value.match(/[\\d.]+/g).map(Number);
  const luminance = (value) => colour(value).slice(0, 3).map((c) => c / 255)
    .map((c) => c <= 0.04045 ? c / 12.92 : ((c + 0.055) / 1.055) ** 2.4)
    .reduce((sum, c, i) => sum + c * [0.2126, 0.7152, 0.0722][i], 0);
  const tab = document.querySelector('[role=tab][aria-selected=true]');
  let ground = tab;
  while (colour(getComputedStyle(ground).backgroundColor)[3] === 0) ground = ground.parentElement;
  const both = [getComputedStyle(tab).color, getComputedStyle(ground).backgroundColor];
  const [low, high] = both.map(luminance).sort((a, b) => a - b);
  return (high + 0.05) / (low + 0.05);
}"""


@pytest.fixture(scope="module")
def browser() -> Iterator[Any]:
    if CHROMIUM is None:
        warnings.warn("NO CHROMIUM: the page was not tested in a browser", stacklevel=1)
        pytest.skip("no chromium on this machine: apt-get install chromium")
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=list(SWITCHES))
        yield browser
        browser.close()


@pytest.fixture(scope="module")
def server(tiny_voice: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    folder = tmp_path_factory.mktemp("page")
    with running(tiny_voice, "--runs", str(folder / "runs"), work_dir=folder) as server:
        yield server


@pytest.fixture
def page(browser: Any, server: Running) -> Iterator[Any]:
    """A fresh visit; in the end no error may be in the console and nothing asked outside."""
    context = browser.new_context(viewport={"width": 1280, "height": 900})
    complaints: list[str] = []
    context.on("console", lambda m: complaints.append(m.text) if m.type == "error" else None)
    context.on("weberror", lambda error: complaints.append(str(error.error)))
    context.on(
        "request",
        lambda request: (
            None
            if request.url.startswith((server.url, "data:", "blob:"))
            else complaints.append(f"asked {request.url}")
        ),
    )
    yield open_page(context, server.url)
    context.close()
    assert complaints == []


def open_page(context: Any, url: str) -> Any:
    """Return a page whose handlers are in place: its load event has been sent."""
    context.set_default_timeout(1_000 * PATIENCE_SECONDS)
    page = context.new_page()
    with page.expect_request("**/gradio_api/queue/join*"):
        page.goto(url)
    page.get_by_role("button", name="Speak", exact=True).wait_for()
    return page


def speak(page: Any, text: str) -> None:
    page.get_by_label("Text", exact=True).fill(text)
    page.get_by_label("Text", exact=True).press("Control+Enter")


def wait_for_result(page: Any, *, other_than: str = "") -> str:
    """Return the id of the result in the player, once it is finished."""
    page.wait_for_function(
        f"(old) => {PLAYER}?.finished && {PLAYER}.getAttribute('result') !== old", arg=other_than
    )
    return str(page.evaluate(f"{PLAYER}.getAttribute('result')"))


def fetch(server: Running, result: str, name: str) -> bytes:
    answer = server.client.get(f"/results/{result}/{name}")
    assert answer.status_code == 200
    return answer.content


def test_type_press_and_hear_all_of_it(page: Any, server: Running) -> None:
    speak(page, TEXT)
    result = wait_for_result(page)
    samples, rate = soundfile.read(io.BytesIO(fetch(server, result, "speech.wav")))
    page.wait_for_function(f"{PLAYER}.audio.ended")
    assert page.evaluate(f"{PLAYER}.audio.currentTime") >= len(samples) / rate
    assert page.evaluate(f"{PLAYER}.seconds") == pytest.approx(len(samples) / rate, abs=0.002)
    details = page.locator("#details")
    assert "real-time factor" in details.inner_text()
    assert page.locator("#history speech-player").count() == 1
    for name in ("wav", "flac", "mp3", "manifest"):
        with page.expect_download() as download:
            details.get_by_role("link", name=name, exact=True).click()
        assert Path(download.value.path()).stat().st_size > 500
        assert download.value.suggested_filename.startswith("dr-lee-paid-5.")


def test_the_page_says_how_a_text_is_read_and_why(page: Any) -> None:
    speak(page, TEXT + " They lead Zwarbler <i>.")
    wait_for_result(page)
    shown = page.locator("#reading")
    assert "Doctor Lee paid five dollars. How are you? They lead Zwarbler" in shown.inner_text()
    assert [mark.inner_text() for mark in shown.locator("mark").all()] == ["Doctor", "five dollars"]
    assert [word.inner_text() for word in shown.locator(".guess").all()] == ["Zwarbler"]
    shown.get_by_text("Why it is read so").click()
    assert "money" in shown.get_by_role("row").filter(has_text="$5").inner_text()
    assert "lead_nou-vrb (" in shown.get_by_role("row").filter(has_text="lead").inner_text()
    assert shown.locator("i").count() == 0


@pytest.mark.parametrize("label", ["Sigma", "Denoising strength"])
def test_a_slider_changes_the_audio_and_not_the_mel(page: Any, server: Running, label: str) -> None:
    speak(page, TEXT)
    old = wait_for_result(page)
    slider = page.get_by_role("slider", name=f"range slider for {label}")
    slider.focus()
    slider.press("PageUp")
    new = wait_for_result(page, other_than=old)
    assert fetch(server, old, "mel.png") == fetch(server, new, "mel.png")
    assert fetch(server, old, "attention.png") == fetch(server, new, "attention.png")
    assert fetch(server, old, "speech.wav") != fetch(server, new, "speech.wav")
    page.wait_for_function(f"{PLAYER}.audio.src.includes('{new}') && {PLAYER}.audio.ended")
    page.locator("#player").get_by_role("button", name="Play this result").click()
    page.wait_for_function(f"!{PLAYER}.audio.paused && !{PLAYER}.live")
    sources = "[...document.querySelectorAll('#history speech-player')].map((p) => p.audio.src)"
    page.wait_for_function("document.querySelectorAll('#history speech-player').length === 2")
    assert [new in page.evaluate(sources)[0], old in page.evaluate(sources)[1]] == [True, True]


def test_the_dice_revoices_with_the_seed_it_shows(page: Any, server: Running) -> None:
    speak(page, TEXT)
    old = wait_for_result(page)
    page.get_by_role("button", name="Voice settings").click()
    page.get_by_role("button", name="New seed").click()
    new = wait_for_result(page, other_than=old)
    seed = int(page.get_by_label("Seed", exact=True).input_value())
    facts = server.client.get(f"/results/{new}/manifest.json").json()
    assert facts["settings"]["seed"] == seed != 0
    assert facts["sentences"][0]["mel_seed"] == 0
    assert fetch(server, old, "mel.png") == fetch(server, new, "mel.png")


def test_a_long_text_plays_before_it_is_done(page: Any) -> None:
    speak(page, "And one more sentence. " * 500)
    page.wait_for_function(f"{PLAYER}?.audio.currentTime > 0.3")
    assert not page.evaluate(f"Boolean({PLAYER}.finished)")
    early = page.evaluate(f"{PLAYER}.seconds")
    page.wait_for_function(f"{PLAYER}.seconds > {early} + 5")
    word = page.locator("#reading .reading .word").nth(20)
    word.click()  # a place to seek while the rest is still being made
    at = page.evaluate(f"SpeechPlayer.progress.get({PLAYER}.result).words[20][0]")
    page.wait_for_function(f"{PLAYER}.audio.currentTime > 0.1 && {PLAYER}.position > {at} + 0.1")
    assert page.evaluate(f"{PLAYER}.position < {at} + 5")
    page.get_by_role("button", name="Close").click()
    page.get_by_role("button", name="Stop", exact=True).first.click()
    page.wait_for_function(f"{PLAYER}.audio.paused", timeout=2_000)  # the take lasts minutes more
    page.get_by_text("are kept").wait_for()
    page.wait_for_function(f"{PLAYER}.finished")


def test_speaking_during_a_take_replaces_it(page: Any) -> None:
    speak(page, "And one more sentence. " * 200)
    page.wait_for_function(f"{PLAYER}?.audio.currentTime > 0.1")
    long = page.evaluate(f"{PLAYER}.getAttribute('result')")
    speak(page, TEXT)
    wait_for_result(page, other_than=long)
    page.wait_for_function(f"{PLAYER}.audio.ended")
    assert page.evaluate(f"{PLAYER}.seconds") < 20
    assert page.locator("#history speech-player").count() == 1
    assert page.locator(".status").first.inner_text() == ""


def test_history_survives_a_reload_and_gives_text_settings_and_sound_back(page: Any) -> None:
    speak(page, TEXT)
    result = wait_for_result(page)
    page.locator("#history li").wait_for()
    page = open_page(page.context, page.url)
    item = page.locator("#history li")
    assert item.get_by_role("link", name="mp3").get_attribute("download") == "dr-lee-paid-5.mp3"
    item.get_by_role("button", name="Use again").click()
    page.wait_for_function(f"{PLAYER}?.getAttribute('result') === '{result}'")
    assert page.get_by_label("Text", exact=True).input_value() == TEXT
    assert page.locator("#reading .reading").inner_text().startswith("Doctor Lee")
    rate = page.get_by_role("slider", name="range slider for Speaking rate")
    rate.focus()
    rate.press("PageUp")
    page.get_by_text("Press Speak to hear the text with it").wait_for()


def test_the_word_that_is_heard_is_marked_and_a_word_is_a_place_to_seek(page: Any) -> None:
    page.set_viewport_size({"width": 480, "height": 900})
    speak(page, "Lee has a very long way to go from here. " * 10)
    wait_for_result(page)
    words = page.locator("#reading .reading .word")
    last = words.last
    last.click()
    at_end = f"{PLAYER}.audio.currentTime > {PLAYER}.seconds - 2"
    page.wait_for_function(at_end)
    page.wait_for_function("document.querySelector('.heard')?.textContent === 'here'")
    box = "document.querySelector('#reading .reading')"
    assert page.evaluate(f"{box}.scrollHeight > {box}.clientHeight")  # it scrolls in its box
    last.focus()
    page.keyboard.press("Home")
    page.keyboard.press("ArrowRight")
    page.keyboard.press("Enter")
    page.wait_for_function(f"{PLAYER}.audio.currentTime < 2")
    page.get_by_text("has is said").wait_for()


def test_a_word_is_fixed_heard_kept_and_goes_into_the_link(page: Any) -> None:
    speak(page, "Zwarbler reads.")
    wait_for_result(page)
    page.locator("#reading .unsure").get_by_role("button", name="Zwarbler").click()
    said = page.get_by_label("Say it as")
    said.fill("ZWAYB-1")
    page.get_by_role("button", name="Hear it").click()
    page.get_by_text("'1' is no syllable").wait_for()
    said.fill("ZWAYB")
    page.get_by_role("button", name="Hear it").click()
    page.wait_for_function("document.querySelector('.fix speech-player')")
    page.get_by_role("button", name="Keep", exact=True).click()
    page.get_by_text("is in the lexicon").wait_for()
    page.get_by_role("button", name="Copy link").click()
    page.get_by_text("The link to this text").wait_for()
    assert "lexicon=zwarbler++Z+W+EY1+B" in page.url
    old = page.evaluate(f"{PLAYER}.getAttribute('result')")
    page = open_page(page.context, page.url)
    page.get_by_role("button", name="Lexicon").click()
    lines = page.get_by_label("Pronunciations of your own")
    page.wait_for_function("(box) => box.value.startsWith('zwarbler')", arg=lines.element_handle())
    page.locator("a.export[href*=zwarbler]").wait_for()  # the server writes it after the box
    with page.expect_download() as download:
        page.get_by_role("link", name="Export").click()
    assert Path(download.value.path()).read_text() == "zwarbler  Z W EY1 B\n"
    page.get_by_role("button", name="Speak", exact=True).click()
    wait_for_result(page, other_than=old)
    assert page.locator("#reading .unsure").count() == 0


def test_a_visitor_who_leaves_stops_the_synthesis(
    browser: Any, server: Running, tiny_voice: Path
) -> None:
    n_sentences, before = 700, server.audio_seconds()
    context = browser.new_context()
    page = open_page(context, server.url)
    speak(page, "Go on. " * n_sentences)
    page.wait_for_function(f"{PLAYER}?.seconds > 2")
    context.close()
    server.wait_until_idle()
    whole = n_sentences * Synthesizer.load(tiny_voice, device="cpu").speak("Go on.").seconds
    assert server.audio_seconds() - before < whole / 4, "it spoke on, and nobody listened"


def test_a_finished_result_can_be_seeked_with_the_keyboard(page: Any) -> None:
    speak(page, TEXT)
    wait_for_result(page)
    bar = page.locator("#player").get_by_role("slider", name="Position in this result")
    bar.focus()
    bar.press("End")
    page.wait_for_function(f"{PLAYER}.audio.currentTime > {PLAYER}.seconds - 0.2")
    bar.press("Home")
    page.wait_for_function(f"{PLAYER}.audio.currentTime < {PLAYER}.seconds - 0.2")
    page.wait_for_function(f"{PLAYER}.audio.ended")
    page.locator("#player").get_by_role("button", name="Play this result").press("Enter")
    page.wait_for_function(f"!{PLAYER}.audio.paused || {PLAYER}.audio.ended")


def test_a_result_is_played_faster_and_again_and_again(page: Any) -> None:
    speak(page, "Hi.")
    wait_for_result(page)
    page.locator("#player").get_by_label("Playback speed").select_option("2")
    page.locator("#player").get_by_role("button", name="Loop").click()
    page.evaluate(
        f"{PLAYER}.audio.addEventListener('ended', () => window.ends = 1 + (window.ends || 0))"
    )
    page.evaluate(f"{PLAYER}.audio.paused && {PLAYER}.toggle()")
    page.wait_for_function("window.ends >= 2")
    assert page.evaluate(f"{PLAYER}.audio.playbackRate") == 2.0
    page.locator("#player").get_by_role("button", name="Loop").click()
    page.wait_for_function(f"{PLAYER}.audio.paused")


@pytest.mark.parametrize(
    ("text", "word"), [("   ", "The text is empty"), ("Say {HH QQ}.", "QQ"), ("\u200b", "nothing")]
)
def test_bad_input_shows_its_message(page: Any, text: str, word: str) -> None:
    speak(page, text)
    message = page.locator(".status.problem")
    message.wait_for()
    assert word in message.inner_text()


def test_a_link_brings_text_and_settings_back(page: Any, server: Running) -> None:
    page.get_by_label("Text", exact=True).fill(TEXT)
    page.get_by_role("button", name="Voice settings").click()
    page.get_by_label("Seed", exact=True).fill("77")
    page.get_by_role("button", name="Copy link").click()
    page.get_by_text("The link to this text").wait_for()
    assert "seed=77" in page.url
    page = open_page(page.context, page.url)
    page.wait_for_function("document.querySelector('textarea').value !== ''")
    assert page.get_by_label("Text", exact=True).input_value() == TEXT
    page.get_by_role("button", name="Voice settings").click()
    assert page.get_by_label("Seed", exact=True).input_value() == "77"


def test_compare_fills_a_grid_of_players(page: Any, server: Running) -> None:
    page.get_by_role("tab", name="Compare").click()
    page.get_by_role("button", name="Compare", exact=True).click()
    cells = "[...document.querySelectorAll('#grid speech-player')]"
    page.wait_for_function(f"{cells}.length === 9 && {cells}.every((cell) => cell.finished)")
    results = page.evaluate(f"{cells}.map((cell) => cell.getAttribute('result'))")
    assert len({fetch(server, result, "speech.wav") for result in results}) == 9
    assert len({fetch(server, result, "mel.png") for result in results}) == 1
    assert len({fetch(server, result, "heard.png") for result in results}) == 9
    assert own_sigma(server) in page.get_by_role("rowheader").all_inner_texts()
    page.locator("#grid").get_by_role("button").first.click()
    page.wait_for_function(f"{cells}.some((cell) => cell.audio.currentTime > 0.1)")
    assert page.evaluate(f"{cells}.filter((cell) => !cell.audio.paused).length") <= 1


def own_sigma(server: Running) -> str:
    """Return the head of the row of the voice's own sigma."""
    return f"sigma {server.client.get('/v1/voices').json()['voices'][0]['sigma']:g}"


def test_comparing_can_be_stopped_and_needs_something_to_compare(page: Any) -> None:
    page.get_by_role("tab", name="Compare").click()
    page.get_by_label("Sentence").fill("And one more. " * 20)
    page.get_by_role("button", name="Compare", exact=True).click()
    cells = "[...document.querySelectorAll('#grid speech-player')]"
    page.wait_for_function(f"{cells}.some((cell) => cell.finished)")
    page.get_by_role("button", name="Stop", exact=True).last.click()
    page.wait_for_timeout(1_000)
    assert 1 <= page.evaluate(f"{cells}.filter((cell) => cell.finished).length") < 9
    chosen = page.get_by_role("group", name="Sigmas").get_by_role("checkbox", checked=True)
    while chosen.count():
        chosen.first.uncheck()
    page.get_by_role("button", name="Compare", exact=True).click()
    page.get_by_text("Choose at least one sigma").wait_for()


def test_recordings_are_dropped_and_trained_on(page: Any, tmp_path: Path) -> None:
    paths = [tmp_path / f"clip{number}.wav" for number in range(13)]
    for number, path in enumerate(paths):
        soundfile.write(path, voiced(5.0, seed=number), AudioConfig().sample_rate)
    page.get_by_role("tab", name="Fine-tune").click()
    page.locator("input[type=file]").set_input_files(paths)
    page.get_by_text("13 of 13 clips are good").wait_for()
    page.get_by_label("Name of the new voice").fill("alice")
    page.get_by_label("Steps at most").fill("4")
    page.get_by_role("button", name="Train").click()
    page.get_by_text("Vetting the recordings").wait_for()
    page = open_page(page.context, page.url)  # it goes on without the page that began it
    page.get_by_role("tab", name="Fine-tune").click()
    page.get_by_text("the voice alice is in the list").wait_for(timeout=600_000)
    assert "step 4" in page.locator("#progress").inner_text()
    assert page.locator("#progress polyline.validation").count() == 1
    page.wait_for_function("document.querySelector('#sample audio')")
    page.evaluate("document.querySelector('#sample audio').play()")
    page.wait_for_function("document.querySelector('#sample audio').duration > 1")
    page.get_by_role("tab", name="Speak").click()
    page.get_by_label("Voice", exact=True).click()
    page.get_by_role("option", name="alice").click()
    speak(page, TEXT)
    wait_for_result(page)
    assert "alice" in page.locator("#history").inner_text()


def test_a_phone_shows_everything_without_scrolling_sideways(browser: Any, server: Running) -> None:
    context = browser.new_context(
        viewport={"width": 360, "height": 740}, color_scheme="dark", has_touch=True
    )
    page = open_page(context, server.url)
    speak(page, TEXT)
    wait_for_result(page)
    assert page.evaluate("document.documentElement.scrollWidth") <= 360
    top = "(selector) => document.querySelector(selector).getBoundingClientRect().top"
    assert page.evaluate(top, "#player") < page.evaluate(top, ".chips")
    assert page.evaluate(CONTRAST_OF_SELECTED_TAB) >= 4.5
    page.locator("#reading .reading .word").last.tap()
    said = page.get_by_label("Say it as")
    said.wait_for()
    page.wait_for_function("""() => { const box = document.querySelector('.fix');
      return box.getBoundingClientRect().bottom <= window.innerHeight + 1; }""")
    bar = page.locator("#player .mel").bounding_box()
    assert bar is not None
    page.touchscreen.tap(bar["x"] + bar["width"] / 2, bar["y"] + bar["height"] / 2)
    page.wait_for_function(f"{PLAYER}.position >= {PLAYER}.seconds / 2 - 0.1")
    context.close()


def test_the_selected_tab_can_be_read_and_no_key_is_read_aloud(page: Any) -> None:
    heard = """() => { window.heard = []; new MutationObserver(() => window.heard.push(
      ...[...document.querySelectorAll('[role=status], [aria-live]')].map((e) => e.textContent)
    )).observe(document.body, {childList: true, subtree: true, characterData: true}) }"""
    page.evaluate(heard)
    speak(page, TEXT)
    wait_for_result(page)
    spoken = set(page.evaluate("window.heard"))
    assert "Speaking …" in spoken
    assert not [words for words in spoken if "." in words.strip(". ") and " " not in words.strip()]
    assert page.locator("progress:visible").count() == 0  # the take has come to its end
    assert page.evaluate(CONTRAST_OF_SELECTED_TAB) >= 4.5


def test_all_controls_have_names(page: Any) -> None:
    nameless = """[...document.querySelectorAll('button, input, textarea, [role=slider]')]
      .filter((e) => e.offsetParent && !e.textContent.trim() && !e.ariaLabel
        && !e.labels?.length && !e.title && !e.getAttribute('aria-labelledby'))
      .map((e) => e.outerHTML)"""
    speak(page, TEXT)
    wait_for_result(page)
    assert page.evaluate(nameless) == []
