"""The list of published checkpoints: `checkpoints/catalog.json`."""

from __future__ import annotations

import difflib
import json
from dataclasses import dataclass
from pathlib import Path

from pipeline.errors import PipelineError

CATALOG_PATH = Path(__file__).parents[2] / "checkpoints" / "catalog.json"


@dataclass(frozen=True, kw_only=True)
class CatalogEntry:
    """One published file."""

    what: str
    licence: str
    file: str  # what it is called where it is published
    mirrors: list[str]
    size_bytes: int | None  # null where nobody told it
    sha256: str | None  # null where nobody published one: the first that comes is held to
    mel_max_hz: float | None = None  # null where the file itself tells
    couplings: str | None = None  # null where the file itself tells


def read_catalog(path: Path = CATALOG_PATH) -> dict[str, CatalogEntry]:
    """Return the catalog by name.

    Raises:
        PipelineError: It cannot be read or holds something else.
    """
    from pipeline.checkpoints import config_from_json

    try:
        content = json.loads(path.read_text(encoding="utf-8"))
        return {name: config_from_json(CatalogEntry, entry) for name, entry in content.items()}
    except OSError as error:
        raise PipelineError(f"Cannot read {path}: {error.strerror}") from error
    except (AttributeError, TypeError, ValueError) as error:
        raise PipelineError(f"{path} does not hold a catalog: {error}") from error


def find_entry(name: str, catalog: dict[str, CatalogEntry]) -> CatalogEntry:
    """Return the entry of a name.

    Raises:
        PipelineError: There is none; the names most like it are told.
    """
    if name in catalog:
        return catalog[name]
    near = difflib.get_close_matches(name, catalog) or sorted(catalog)[:3]
    raise PipelineError(
        f"The catalog has no {name!r}; did you mean {', '.join(near)}? "
        "python -m pipeline.fetch lists them all"
    )
