"""The yardstick: a plugin that does nothing. A run with it takes the time of the engine alone."""
