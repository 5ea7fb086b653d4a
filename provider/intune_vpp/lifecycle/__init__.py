"""The lifecycle of tokens and operations. Decisions come from `core`, requests go through `core.ports`."""
