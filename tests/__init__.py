"""The tests: they need no network, no GPU and no downloaded weights."""
