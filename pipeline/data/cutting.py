"""Where to cut long recordings: in the longest pauses."""

from __future__ import annotations

import numpy as np

FRAME_SECONDS = 0.02
QUIET_DB = 12.0  # above the noise floor a frame still counts as a pause
FLOOR_PERCENTILE = 5
SILENCE_DB = -100.0  # what digital silence is raised to


def frame_levels(audio: np.ndarray, sample_rate: int) -> np.ndarray:
    """Return the root mean square of each 20 ms frame in dB of full scale, [frames].

    Args:
        audio: [S] float; what does not fill a last frame is left out.
        sample_rate: In Hz.
    """
    length = int(FRAME_SECONDS * sample_rate)
    frames = audio[: len(audio) // length * length].reshape(-1, length)
    power = np.square(frames, dtype=np.float64).mean(axis=1)
    return np.asarray(10.0 * np.log10(np.maximum(power, 10.0 ** (SILENCE_DB / 10.0))))


def cut_points(
    audio: np.ndarray, sample_rate: int, *, min_seconds: float = 3.0, max_seconds: float = 12.0
) -> list[int]:
    """Return the edges of clips in samples, from 0 to S.

    A recording of at most `max_seconds` stays whole. From a longer one clips are cut off one
    after the other, each in the middle of the longest pause that lies between `min_seconds` and
    `max_seconds` after the last cut; where there is no pause, at the quietest moment.

    Args:
        audio: [S] float.
        sample_rate: In Hz.
        min_seconds: Of all clips but the last.
        max_seconds: Of all clips.
    """
    levels = frame_levels(audio, sample_rate)
    frame = int(FRAME_SECONDS * sample_rate)
    shortest, longest = int(min_seconds / FRAME_SECONDS), int(max_seconds / FRAME_SECONDS)
    threshold = np.percentile(levels, FLOOR_PERCENTILE) + QUIET_DB if len(levels) else 0.0
    edges, start = [0], 0
    while len(audio) - start * frame > max_seconds * sample_rate:
        window = levels[start + shortest : start + longest]
        start += shortest + _best_cut(window, threshold)
        edges.append(start * frame)
    return [*edges, len(audio)]


def _best_cut(levels: np.ndarray, threshold: float) -> int:
    """Return the frame to cut at: the middle of the longest quiet run, else the quietest one."""
    is_quiet = np.concatenate([[False], levels < threshold, [False]])
    changes = np.flatnonzero(is_quiet[1:] != is_quiet[:-1])
    starts, ends = changes[::2], changes[1::2]
    if not len(starts):
        return int(levels.argmin())
    longest = (ends - starts).argmax()
    return int(starts[longest] + ends[longest]) // 2
