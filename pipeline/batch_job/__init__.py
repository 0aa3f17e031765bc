"""Lists of sentences to audio files and one manifest, by worker processes that can be killed."""
