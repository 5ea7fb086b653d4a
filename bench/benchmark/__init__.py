"""The benchmark: the same program with the plugin and with the yardstick, in pairs, and the limits that ours holds."""
