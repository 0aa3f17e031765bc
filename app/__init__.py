"""The page and the HTTP API: one server, one line before the models."""
