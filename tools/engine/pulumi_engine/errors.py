"""The errors of finding and installing an engine."""


class UnavailableError(Exception):
    """One way to an engine did not work; its text gives the reason in one sentence."""


class NoEngineError(Exception):
    """No way to an engine worked; its text gives the reasons and what to do."""
