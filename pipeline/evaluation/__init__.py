"""How well a voice speaks, in numbers; nothing that speaks imports it."""
