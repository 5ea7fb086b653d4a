"""A Pulumi engine for the demonstration and the tests: found on PATH, downloaded, or built."""
