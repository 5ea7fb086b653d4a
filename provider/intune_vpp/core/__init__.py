"""What the provider believes and decides: values in, values out.

No I/O, no clock, no environment and no Pulumi in this room: `now` is an argument, and a secret is never formatted.
"""
