"""Books to audio: spoken sentence by sentence onto disk, resumed after a stop, with chapters."""
