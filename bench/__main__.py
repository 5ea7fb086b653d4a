"""`python bench` compares the time that the plugin takes with that of a provider that does nothing."""

import sys

from benchmark.cli import main

if __name__ == "__main__":
    sys.exit(main())
