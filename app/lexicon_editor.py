"""A word that is said wrongly is fixed here, and the fixes are kept in the visitor's browser."""

from __future__ import annotations

from collections.abc import AsyncGenerator
from html import escape
from itertools import count, takewhile
from pathlib import Path
from typing import Any
from urllib.parse import quote

import gradio as gr

from app.player import player
from app.results import Results
from app.speech_service import USER_ERRORS, Part, SpeechRequest, SpeechService
from app.status import problem, says, waits
from text.dictionary import Phones, look_up, look_up_addition
from text.errors import TextError
from text.homographs import readings
from text.lexicon import parse_lexicon, write_lexicon
from text.respelling import parse_pronunciation

FILE_NAME = "lexicon.txt"
_SAY_IT_AS = (
    "A respelling such as koo-ber-NET-eez, the stressed syllable in capitals, or phones such as "
    "K UW2 B ER0 N EH1 T IY0 Z."
)
_ABOUT = (
    "A word and its phones a line: the file that the command speak takes as --lexicon. It is kept "
    "in this browser and goes into links to a text."
)
_COME_INTO_SIGHT = """() => requestAnimationFrame(() =>
  document.querySelector('.fix')?.scrollIntoView({block: 'nearest', behavior: 'smooth'}))"""
Changes = AsyncGenerator[dict[Any, Any]]
PRIVATE: dict[str, Any] = {"show_progress": "hidden", "api_visibility": "private"}


class LexiconEditor:
    """Builds a form for one word and the list of all words, in two places of an open page."""

    def __init__(self, service: SpeechService, results: Results, status: gr.HTML) -> None:
        """Build nothing yet but what the browser keeps.

        Args:
            service: What speaks a word to try it.
            results: Where its sound is kept for a while.
            status: The line that says what goes on.
        """
        self._service = service
        self._results = results
        self._status = status
        self.kept = gr.BrowserState("", storage_key="tacoglow-lexicon", secret="tacoglow")
        self._word = gr.State("")

    def build_form(self) -> None:
        """Build the form for one word; it is hidden until a word is chosen."""
        with gr.Column(visible=False, elem_classes="fix") as self._form:
            self._facts = gr.HTML()
            self._said = gr.Textbox(label="Say it as", info=_SAY_IT_AS, max_length=200)
            self._others = gr.Radio([], label="Or as one of its readings", visible=False)
            with gr.Row(elem_classes="actions"):
                self._hear = gr.Button("Hear it", size="sm", min_width=70)
                self._keep = gr.Button("Keep", size="sm", variant="primary", min_width=70)
                self._forget = gr.Button("Forget", size="sm", min_width=70, visible=False)
                self._close = gr.Button("Close", size="sm", min_width=70)
            self._sample = gr.HTML()

    def build_list(self) -> None:
        """Build the list of all words that were fixed."""
        with gr.Accordion("Lexicon", open=False):
            self.lines = gr.Textbox(
                label="Pronunciations of your own",
                info=_ABOUT,
                placeholder="kubernetes  K UW2 B ER0 N EH1 T IY0 Z",
                lines=3,
                max_lines=12,
            )
            with gr.Row(elem_classes="actions"):
                self._export = gr.HTML(_export_link(""))
                self._import = gr.UploadButton(
                    "Import", file_types=["text"], size="sm", min_width=90
                )

    def connect(self, reading: gr.HTML, voice: gr.Dropdown) -> None:
        """Connect the parts.

        Args:
            reading: Where words are chosen.
            voice: Which voice tries a word.
        """
        form = [self._form, self._word, self._facts, self._said, self._others, self._forget]
        chosen = reading.select(self.choose, self.kept, [*form, self._sample], **PRIVATE)
        chosen.then(None, None, None, js=_COME_INTO_SIGHT, **PRIVATE)
        self._others.input(lambda phones: phones, self._others, self._said, **PRIVATE)
        heard = [self._status, self._sample]
        said = [self._word, self._said]
        for listen in (self._hear.click, self._said.submit):
            listen(self.hear, [*said, voice], heard, trigger_mode="multiple", **PRIVATE)
        changed = [self._status, self.kept, self.lines, self._form]
        self._keep.click(self.keep, [*said, self.kept], changed, **PRIVATE)
        self._forget.click(self.forget, [self._word, self.kept], changed, **PRIVATE)
        self._close.click(lambda: gr.Column(visible=False), None, self._form, **PRIVATE)
        self.lines.blur(self.rewrite, [self.lines, self.kept], changed, **PRIVATE)
        self._import.upload(self.take, [self._import, self.kept], changed, **PRIVATE)
        self.lines.change(_export_link, self.lines, self._export, **PRIVATE)

    def choose(self, event: gr.EventData, kept: str) -> dict[Any, Any]:
        """Show the form for the word that was chosen."""
        word, phones, source = (str(event._data[key]) for key in ("word", "phones", "source"))
        others = [" ".join(other) for other in pronunciations(word)]
        return {
            self._form: gr.Column(visible=True),
            self._word: word,
            self._facts: f"<p><strong>{escape(word)}</strong> is said {escape(phones)}. "
            f'<span class="hint">{escape(source)}.</span></p>',
            self._said: phones,
            self._others: gr.Radio(others, value=None, visible=len(others) > 1),
            self._forget: gr.Button(visible=_entry(word) in _lexicon(kept)),
            self._sample: "",
        }

    async def hear(self, word: str, said: str, voice: str) -> Changes:
        """Speak a word as it shall be said."""
        try:
            text = f"{{{' '.join(parse_pronunciation(said))}}}."
            result = self._results.new(SpeechRequest(text=text, voice=voice))
            async for event in self._service.speak(result.request):
                if isinstance(event, Part):
                    result.add(event)
                else:
                    yield {self._status: waits(event)}
            result.finish()
            shown = player(result, f"“{word}”", attributes='size="row" autoplay')
            yield {self._status: says(), self._sample: shown}
        except USER_ERRORS as error:
            yield {self._status: problem(error)}

    def keep(self, word: str, said: str, kept: str) -> dict[Any, Any]:
        """Keep how a word shall be said."""
        try:
            lexicon = {**_lexicon(kept), _entry(word): parse_pronunciation(said)}
        except TextError as error:
            return {self._status: problem(error)}
        words = f"“{word}” is in the lexicon. Press Speak to hear the text with it."
        return self.show(write_lexicon(lexicon), words)

    def forget(self, word: str, kept: str) -> dict[Any, Any]:
        """Take a word out of the lexicon."""
        lexicon = {name: phones for name, phones in _lexicon(kept).items() if name != _entry(word)}
        words = f"“{word}” is said as the dictionary has it. Press Speak to hear the text with it."
        return self.show(write_lexicon(lexicon), words)

    def rewrite(self, lines: str, kept: str) -> dict[Any, Any]:
        """Keep the lines that somebody has written."""
        if lines == kept:
            return {self._status: gr.skip()}
        try:
            parse_lexicon(lines)
        except TextError as error:
            return {self._status: problem(error)}
        return self.show(lines, "")

    def take(self, file: str, kept: str) -> dict[Any, Any]:
        """Take the words of a file into the lexicon; they go before those of the same name."""
        try:
            lexicon = parse_lexicon(Path(file).read_text(encoding="utf-8"), name=Path(file).name)
        except TextError as error:
            return {self._status: problem(error)}
        except UnicodeDecodeError:
            refusal = TextError(f"{Path(file).name} is not UTF-8 text; export it as such", 0)
            return {self._status: problem(refusal)}
        words = f"{len(lexicon)} words are taken into the lexicon."
        return self.show(write_lexicon({**_lexicon(kept), **lexicon}), words)

    def show(self, lines: str, words: str) -> dict[Any, Any]:
        """Return what makes the page keep and show a lexicon, and say so."""
        return {
            self._status: says(words),
            self.kept: lines,
            self.lines: lines,
            self._form: gr.Column(visible=False),
        }


def merge(kept: object, lines: str) -> str:
    """Return the lexicon of a browser with the words of a link, which go first."""
    return write_lexicon({**_lexicon(kept), **_lexicon(lines)}) if lines else _readable(kept)


def _readable(kept: object) -> str:
    """Return what a browser has kept where it is a lexicon, else none."""
    try:
        parse_lexicon(str(kept or ""))
    except TextError:
        return ""
    return str(kept or "")


def _lexicon(kept: object) -> dict[str, Phones]:
    return parse_lexicon(_readable(kept))


def _entry(word: str) -> str:
    return word.lower()


def pronunciations(word: str) -> list[Phones]:
    """Return the readings and pronunciations that are known of a word, each once."""
    # CMUdict counts the further ones: "tomato(2)".
    further = takewhile(bool, (look_up(f"{word}({number})") for number in count(2)))
    known = [reading.phones for reading in readings(word)]
    found = [*known, look_up_addition(word.lower()), look_up(word), *further]
    return [phones for phones in dict.fromkeys(found) if phones]


def _export_link(lines: str) -> str:
    """Return the link that saves a lexicon as a file."""
    return (
        f'<a class="export" download="{FILE_NAME}" '
        f'href="data:text/plain;charset=utf-8,{quote(lines)}">Export</a>'
    )
