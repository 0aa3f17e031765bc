"""What one visitor waits for and hears at present, on one tab of the page."""

from __future__ import annotations

from app.results import Result


class Visit:
    """The takes under way; those that begin end the ones before."""

    def __init__(self) -> None:
        self.takes: tuple[Result, ...] = ()

    def begin(self, *takes: Result) -> None:
        """Put other takes in the place of the present ones."""
        self.stop()
        self.takes = takes

    def stop(self) -> None:
        """End the present takes; the sentence that is being made is dropped."""
        for take in self.takes:
            take.finish()
