"""The provider's model of Graph and its decisions, as functions from values to values.

This room does no I/O, reads no clock and no environment, and does not import Pulumi: `now` is an argument. It never
formats a secret.
"""
