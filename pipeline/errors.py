"""The kinds of error that commands print as a single line."""


class PipelineError(Exception):
    """What happened, the value seen, the value expected, what to do next, in one line."""


class OptionError(PipelineError, ValueError):
    """An option of speech has a value that it cannot have."""
