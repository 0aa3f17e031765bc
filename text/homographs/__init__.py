"""Homographs in context: a small classifier that learned from sentences of Wikipedia."""

from text.homographs.model import Choice, Reading, choose, readings

__all__ = ["Choice", "Reading", "choose", "readings"]
