"""The page: four tabs on Gradio, with its own player and no font or script from elsewhere."""

from __future__ import annotations

from pathlib import Path

import gradio as gr
from fastapi import FastAPI

from app.compare_tab import CompareTab
from app.document_tab import DocumentTab
from app.endpoints import endpoints
from app.finetune_jobs import FinetuneJobs
from app.finetune_tab import FinetuneTab
from app.results import Results
from app.speak_tab import SpeakTab
from app.speech_service import SpeechService

HERE = Path(__file__).parent
SCRIPTS = ("player.js", "read_along.js", "access.js")
MAX_UPLOAD = "200mb"
TRAINING_IS_OFF = (
    "Fine-tuning is off, because this server listens beyond its own machine. "
    "Its operator can turn it on with `--allow-training`."
)
CACHE_SECONDS = 3_600  # after which Gradio's copies of files are deleted
POLL_SECONDS = 0.01  # between looks for events; Gradio's 0.001 doubles what an idle server computes
MAX_SESSIONS = 200  # of visitors and gradio_client's calls: Gradio keeps half a megabyte for each


THEME = gr.themes.Base(
    primary_hue="purple",
    neutral_hue="stone",
    radius_size="lg",
    font=["system-ui", "sans-serif"],
    font_mono=["ui-monospace", "monospace"],
).set(
    body_background_fill="*neutral_50",
    body_background_fill_dark="*neutral_950",
    block_background_fill="white",
    block_background_fill_dark="*neutral_900",
    input_background_fill="*neutral_50",
    input_background_fill_dark="*neutral_800",
    button_primary_background_fill="*primary_700",
    button_primary_background_fill_dark="*primary_700",
    button_primary_background_fill_hover="*primary_600",
    button_primary_background_fill_hover_dark="*primary_600",
    button_secondary_background_fill="white",
    button_secondary_background_fill_dark="*neutral_800",
    button_secondary_border_color="*neutral_300",
    button_secondary_border_color_dark="*neutral_700",
    button_border_width="1px",
    slider_color="*primary_600",
    slider_color_dark="*primary_500",
    block_label_text_color="*body_text_color",
    block_info_text_color="*neutral_600",
    block_info_text_color_dark="*neutral_400",
    body_text_color_subdued="*neutral_600",
    body_text_color_subdued_dark="*neutral_400",
)


def mount_page(
    server: FastAPI, service: SpeechService, results: Results, finetune_jobs: FinetuneJobs | None
) -> None:
    """Put the page at the root of a server."""
    gr.mount_gradio_app(
        server,
        build_page(service, results, finetune_jobs),
        path="/",
        theme=THEME,
        css_paths=[HERE / "style.css"],
        head="".join(
            f"<script>{(HERE / name).read_text(encoding='utf-8')}</script>" for name in SCRIPTS
        ),
        footer_links=[],
        max_file_size=MAX_UPLOAD,
        ssr_mode=False,
        run_history=False,
    )


def build_page(
    service: SpeechService, results: Results, finetune_jobs: FinetuneJobs | None
) -> gr.Blocks:
    """Return the page."""
    page: gr.Blocks
    with gr.Blocks(
        title="Tacoglow", analytics_enabled=False, delete_cache=(CACHE_SECONDS, CACHE_SECONDS)
    ) as page:
        endpoints(service)  # first: their names are free then
        gr.HTML(
            "<h1>Tacoglow</h1><p>English text to speech: Tacotron 2 draws the mel spectrogram, "
            "WaveGlow makes it sound.</p>",
            elem_id="title",
        )
        with gr.Tab("Speak"):
            speak = SpeakTab(page, service, results)
        with gr.Tab("Documents"):
            documents = DocumentTab(service, speak.lexicon)
        with gr.Tab("Compare"):
            compare = CompareTab(service, results)
        with gr.Tab("Fine-tune"):
            if finetune_jobs is None:
                gr.Markdown(TRAINING_IS_OFF)
            else:
                FinetuneTab(
                    page,
                    service.store,
                    finetune_jobs,
                    [speak.voice, documents.voice, compare.voice],
                )
    # Requests wait in the job queue; Gradio's own queue lets everybody pass.
    page.queue(default_concurrency_limit=None)
    page._queue.sleep_when_free = POLL_SECONDS
    page.state_session_capacity = MAX_SESSIONS
    return page
