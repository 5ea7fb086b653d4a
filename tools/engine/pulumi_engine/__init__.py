"""A Pulumi engine for the demonstration and the tests: taken from PATH, downloaded, or built."""
