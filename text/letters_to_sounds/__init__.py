"""Words outside the dictionary, pronounced by a model that learned from the words inside."""

from text.letters_to_sounds.model import guess

__all__ = ["guess"]
