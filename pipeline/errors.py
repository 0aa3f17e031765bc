"""The one kind of error that commands print as a single line."""


class PipelineError(Exception):
    """What happened, the value seen, the value expected, what to do next, in one line."""
