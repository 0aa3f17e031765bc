"""The voices that the server offers: found on disk by name, loaded when first asked for."""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

from pipeline import Synthesizer
from pipeline.devices import Precision
from pipeline.errors import PipelineError
from pipeline.remote_engine import RemoteEngine
from pipeline.voice_folders import VOICES_DIR, find_voice
from pipeline.voices import Voice, read_voice
from pipeline.worker_pool import WorkerPool

MAX_LOADED = 4  # voices kept in memory, each with one vocoder
VOICE_FILE = "voice.json"
VOCODER_FILE = "waveglow.safetensors"


class _Loaded(NamedTuple):
    """What a loaded synthesizer was made of; a voice trained anew is another one."""

    voice: str
    vocoder: str
    written: tuple[int, ...]  # when its files were, in nanoseconds


class VoiceStore:
    """Voices by name. Only names of the store are accepted: a request can open no other file."""

    def __init__(
        self,
        default: str | Path = "kathleen",
        *,
        places: Sequence[Path] = (VOICES_DIR,),
        device: str = "auto",
        precision: Precision = "32",
        workers: WorkerPool | None = None,
    ) -> None:
        """Find the default voice.

        Args:
            default: A name among the places, or a folder, which is offered too.
            places: Folders whose subfolders are voices and vocoders.
            device: As `Synthesizer.load` takes it.
            precision: The same.
            workers: Processes that hold the models; None to hold them in this one.

        Raises:
            PipelineError: There is no such voice, or it cannot be read.
        """
        self._places = tuple(places)
        self._device = device
        self._precision = precision
        self._workers = workers
        self._guard = threading.Lock()
        self._loaded: OrderedDict[_Loaded, Synthesizer] = OrderedDict()
        inside = [place / default for place in places if (place / default / VOICE_FILE).is_file()]
        self._default_folder = inside[0] if inside else find_voice(default)
        read_voice(self._default_folder)  # says at start what is wrong with it
        self.default = self._default_folder.name

    @property
    def n_worker_restarts(self) -> int:
        """How many worker processes were killed and replaced."""
        return self._workers.n_restarts if self._workers else 0

    def voices(self) -> dict[str, Voice]:
        """Return all voices that can be read, the default one first."""
        voices: dict[str, Voice] = {}
        for folder in self._folders(VOICE_FILE):
            try:
                voice = read_voice(folder)
            except PipelineError:
                continue  # half copied, or made for another text front end
            voices.setdefault(folder.name, voice)
        return voices

    def vocoders(self) -> list[str]:
        """Return the names under which vocoders are found."""
        return list(dict.fromkeys(folder.name for folder in self._folders(VOCODER_FILE)))

    def is_loaded(self, voice: str, vocoder: str = "") -> bool:
        """Whether `get` would answer at once."""
        return any((key.voice, key.vocoder) == (voice, vocoder) for key in list(self._loaded))

    def get(self, voice: str, vocoder: str = "") -> Synthesizer:
        """Return a voice, loaded; call it from workers of the job queue alone.

        Args:
            voice: A name of `voices`.
            vocoder: A name of `vocoders`; "" for the voice's own.

        Raises:
            PipelineError: There is no such name, or the files do not fit.
        """
        folder = self._find(voice, VOICE_FILE)
        vocoder_folder = self._find(vocoder, VOCODER_FILE) if vocoder else None
        files = [folder / VOICE_FILE, *([vocoder_folder / VOCODER_FILE] if vocoder_folder else [])]
        try:
            key = _Loaded(voice, vocoder, tuple(path.stat().st_mtime_ns for path in files))
        except OSError as error:
            raise PipelineError(f"{voice!r} was taken away just now. Choose another.") from error
        with self._guard:
            if key not in self._loaded:
                self._loaded[key] = self._load(folder, vocoder_folder)
            self._loaded.move_to_end(key)
            while len(self._loaded) > MAX_LOADED:
                self._loaded.popitem(last=False)
            return self._loaded[key]

    def _load(self, folder: Path, vocoder: Path | None) -> Synthesizer:
        device, precision = self._device, self._precision
        if self._workers is not None:
            engine = RemoteEngine(
                folder, self._workers, vocoder=vocoder, device=device, precision=precision
            )
            return Synthesizer(engine)
        return Synthesizer.load(folder, vocoder=vocoder, device=device, precision=precision)

    def folder(self, voice: str) -> Path:
        """Return where a voice lies.

        Raises:
            PipelineError: There is none of that name.
        """
        return self._find(voice, VOICE_FILE)

    def _folders(self, file: str) -> list[Path]:
        """Return the folders that hold a file, the default voice first."""
        found = [path.parent for place in self._places for path in sorted(place.glob(f"*/{file}"))]
        return [folder for folder in (self._default_folder, *found) if (folder / file).is_file()]

    def _find(self, name: str, file: str) -> Path:
        folders = {folder.name: folder for folder in reversed(self._folders(file))}
        if name not in folders:
            raise PipelineError(
                f"There is no {name!r}; expected one of {', '.join(sorted(folders))}"
            )
        return folders[name]
