"""Recordings and their texts, made ready to train on and to score with."""
