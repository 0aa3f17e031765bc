"""Pieces of HTML for the page. Whatever a visitor wrote is escaped here."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict
from html import escape

from app.history import Entry
from app.player import player
from app.results import Result, Results
from app.speech_service import SpeechRequest
from pipeline.options import OPTIONS

MAX_EXCERPT = 90  # characters
DOWNLOADS = ("wav", "flac", "mp3", "manifest")


def details(result: Result) -> str:
    """Return what lies under the player: facts, warnings, downloads, the attention."""
    return f"""
        {_facts(result)}{_warnings(result)}
        <nav class="downloads" aria-label="Downloads">{_downloads(result, DOWNLOADS)}</nav>
        <details><summary>Attention</summary>
        <img class="attention" loading="lazy"
        src="results/{result.id}/attention.png?seconds={result.seconds:.3f}"
        alt="Attention: which symbol of the text each decoder step looks at; a clean diagonal from
        the lower left to the upper right is good speech">
        <p class="hint">Time goes right, the text goes up. A clean diagonal is good speech.</p>
        </details>"""


def history(entries: Sequence[Entry], results: Results) -> str:
    """Return the list of what a visitor spoke, the newest first."""
    items = "".join(
        _entry(number, entry, results.get(entry.result_id)) for number, entry in enumerate(entries)
    )
    return f"<h3>History</h3><ol class='history'>{items}</ol>" if items else ""


def _entry(number: int, entry: Entry, result: Result | None) -> str:
    excerpt, settings = _excerpt(entry.request.text), settings_line(entry.request)
    if result is not None and result.parts:
        sound = player(result, f"“{excerpt}”, {settings}", attributes='size="row"')
        downloads = _downloads(result, ("wav", "mp3"))
    else:
        sound, downloads = "", '<span class="hint">No longer kept as sound.</span>'
    return f"""<li>{sound}<div><span class="excerpt">{escape(excerpt)}</span>
        <span class="settings">{escape(settings)}</span>
        <nav class="downloads" aria-label="Downloads of “{escape(excerpt)}”">{downloads}
        <button type="button" data-entry="{number}" title="Bring its text and settings back">
        Use again</button></nav></div></li>"""


def grid(
    sigmas: list[float], strengths: list[float], cells: dict[tuple[float, float], Result]
) -> str:
    """Return a table of players: a row for each sigma, a column for each denoising strength."""
    head = "".join(f'<th scope="col">denoising {strength:g}</th>' for strength in strengths)
    rows = "".join(
        f'<tr><th scope="row">sigma {sigma:g}</th>'
        + "".join(
            f"<td>{_cell(cells[sigma, strength], sigma, strength)}</td>" for strength in strengths
        )
        + "</tr>"
        for sigma in sigmas
    )
    return f'<div class="grid"><table><thead><tr><td></td>{head}</tr></thead>{rows}</table></div>'


def settings_line(request: SpeechRequest) -> str:
    """Return the settings of a request."""
    vocoder = f" + {request.vocoder}" if request.vocoder else ""
    values = asdict(request.options)
    options = (f"{OPTIONS[name].label.lower()} {value}" for name, value in values.items())
    return " · ".join((request.voice + vocoder, *options))


def _facts(result: Result) -> str:
    facts = (
        f"{result.seconds:.1f} s of audio",
        f"first sound after {result.first_sound_seconds:.1f} s",
        f"real-time factor {result.taken_seconds / result.seconds:.2f}",
        f"seed {result.speech.options.seed}",
    )
    return f'<p class="facts">{" · ".join(facts)}</p>'


def _warnings(result: Result) -> str:
    lines = "".join(f"<li>{escape(line)}</li>" for line in result.speech.warnings)
    return f'<ul class="warnings" aria-label="Warnings">{lines}</ul>' if lines else ""


def _downloads(result: Result, names: Sequence[str]) -> str:
    files = {name: f"speech.{name}" for name in names} | {"manifest": "manifest.json"}
    return "".join(
        f'<a href="results/{result.id}/{files[name]}" '
        f'download="{result.file_name}.{files[name].rpartition(".")[2]}">{name}</a>'
        for name in names
    )


def _cell(result: Result, sigma: float, strength: float) -> str:
    label = f"sigma {sigma:g}, denoising {strength:g}"
    return player(result, label, attributes='size="cell" picture="heard"')


def _excerpt(text: str) -> str:
    line = " ".join(text.split())
    return line if len(line) <= MAX_EXCERPT else line[: MAX_EXCERPT - 2] + " …"
