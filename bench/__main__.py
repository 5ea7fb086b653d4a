"""`python bench`: how long the plugin takes, beside a provider that does nothing."""

import sys

from benchmark.cli import main

if __name__ == "__main__":
    sys.exit(main())
