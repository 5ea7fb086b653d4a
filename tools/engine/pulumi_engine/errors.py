"""What goes wrong on the way to an engine."""


class UnavailableError(Exception):
    """One way to an engine did not work; its text says why, in a sentence for a person."""


class NoEngineError(Exception):
    """No way to an engine worked; its text says why and what to do."""
