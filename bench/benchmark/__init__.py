"""The benchmark: runs one program with the plugin and with the yardstick, in pairs, and checks the limits."""
