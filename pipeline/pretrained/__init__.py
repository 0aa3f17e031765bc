"""Checkpoints that others published: found, downloaded, read without running them, written."""
