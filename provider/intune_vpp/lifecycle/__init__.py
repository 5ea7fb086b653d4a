"""The life of a token, told top to bottom: decisions come from `core`, requests go through `core.ports`."""
