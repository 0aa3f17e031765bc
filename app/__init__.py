"""The page and the HTTP API: one server, one queue of jobs for the models."""
