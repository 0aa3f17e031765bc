"""Pieces of HTML for the page. Whatever a visitor wrote is escaped here."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import asdict
from html import escape

from app.player import player
from app.results import Result

MAX_EXCERPT = 90  # characters


def details(result: Result) -> str:
    """Return what lies under the player: facts, warnings, downloads, the attention."""
    return f"""
        {_facts(result)}{_warnings(result)}
        <nav class="downloads" aria-label="Downloads">{_downloads(result)}</nav>
        <details><summary>Attention</summary>
        <img class="attention" loading="lazy"
        src="results/{result.id}/attention.png?seconds={result.seconds:.3f}"
        alt="Attention: which symbol of the text each decoder step looks at; a clean diagonal from
        the lower left to the upper right is good speech">
        <p class="hint">Time goes right, the text goes up. A clean diagonal is good speech.</p>
        </details>"""


def history(results: Iterable[Result]) -> str:
    """Return the list of a visit's results, the newest first."""
    items = "".join(
        f"""<li>{player(result, f"result {settings_line(result)}", attributes='size="row"')}
        <div><span class="settings">{escape(settings_line(result))}</span>
        <span class="excerpt">{escape(_excerpt(result.request.text))}</span></div></li>"""
        for result in results
    )
    return f"<h3>Results of this visit</h3><ol class='history'>{items}</ol>" if items else ""


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


def settings_line(result: Result) -> str:
    """Return the settings that a result was made with."""
    vocoder = f" + {result.request.vocoder}" if result.request.vocoder else ""
    options = (f"{name} {value}" for name, value in asdict(result.speech.options).items())
    return " · ".join((result.speech.voice + vocoder, *options))


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


def _downloads(result: Result) -> str:
    names = {name: f"speech.{name}" for name in ("wav", "flac", "mp3")}
    names["manifest"] = "manifest.json"
    return "".join(
        f'<a href="results/{result.id}/{file}" download="{file}">{name}</a>'
        for name, file in names.items()
    )


def _cell(result: Result, sigma: float, strength: float) -> str:
    label = f"sigma {sigma:g}, denoising {strength:g}"
    return player(result, label, attributes='size="cell" picture="heard"')


def _excerpt(text: str) -> str:
    line = " ".join(text.split())
    return line if len(line) <= MAX_EXCERPT else line[: MAX_EXCERPT - 2] + " …"
