"""The yardstick: a plugin that does nothing. What a run with it takes is what the engine takes for itself."""
