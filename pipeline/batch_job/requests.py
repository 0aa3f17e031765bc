"""From a listed row to a request: which file, voice and options, and a key of all of these."""

from __future__ import annotations

import dataclasses
import hashlib
import json
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Any, NamedTuple

from pipeline.batch_job.forkserver import THREADS
from pipeline.batch_job.rows import Row
from pipeline.errors import PipelineError
from pipeline.options import OPTIONS, SpeechOptions, parse_option
from pipeline.tacotron2.batch_decoder import SLOTS
from pipeline.voice_folders import find_voice
from pipeline.voices import Voice, read_voice


class Request(NamedTuple):
    """One sentence to be spoken; JSON can hold it."""

    row: int  # its place in the manifest
    id: str
    file: str  # below the output folder
    text: str
    voice_dir: str
    fingerprint: str  # of the voice as it was when the list was read
    device: str
    options: dict[str, Any]  # the voice's name and all options of speech, none left open
    key: str  # of all that the audio depends on; empty where it cannot be spoken
    error: str  # why it cannot be spoken; else empty


class Shard(NamedTuple):
    """One of several equal parts of a list.

    A sentence belongs to it by the hash of its id, so equal ids meet in one shard.
    """

    number: int  # from 1
    n_shards: int

    def holds(self, name: str) -> bool:
        """Tell whether the sentence with an id belongs to it."""
        digest = hashlib.sha256(name.encode()).digest()
        return int.from_bytes(digest[:8], "big") % self.n_shards == self.number - 1

    def __str__(self) -> str:
        return f"{self.number}-of-{self.n_shards}"


def prepare(
    row: Row, *, voice: str, defaults: Mapping[str, Any], suffix: str, device: str
) -> Request:
    """Return the request of a row; one that cannot be fulfilled carries the reason.

    Args:
        row: What is listed.
        voice: Name or folder of the voice of rows that name none.
        defaults: Options of rows that leave them open; None leaves them to the voice.
        suffix: Of the audio file.
        device: What is to compute it, "cpu" or "cuda".
    """
    settings = {"voice": voice, **defaults, **row.settings}
    file = f"{row.id}{suffix}"
    try:
        folder, facts = _voice(str(settings["voice"]))
        options = dataclasses.asdict(_options(settings).or_else(facts.options))
    except PipelineError as error:
        given = row.settings
        return Request(row.number, row.id, file, row.text, "", "", device, given, "", str(error))
    key = _key(row.text, options, facts, file, device)
    options = {"voice": facts.name, **options}
    where = (str(folder), facts.fingerprint, device)
    return Request(row.number, row.id, file, row.text, *where, options, key, "")


@cache  # of results alone: a voice that is not found raises each time
def _voice(name: str) -> tuple[Path, Voice]:
    folder = find_voice(name).resolve()
    return folder, read_voice(folder)


def _options(settings: Mapping[str, Any]) -> SpeechOptions:
    """Return the options that a row gives, as numbers or written out."""
    given = {name: settings.get(name) for name in OPTIONS}
    return SpeechOptions.from_mapping(
        {n: parse_option(n, v) if isinstance(v, str) else v for n, v in given.items()}
    )


def _key(text: str, options: Mapping[str, Any], voice: Voice, file: str, device: str) -> str:
    parts = [text, options, voice.fingerprint, file, device, THREADS, SLOTS]
    return hashlib.sha256(json.dumps(parts, sort_keys=True).encode()).hexdigest()
