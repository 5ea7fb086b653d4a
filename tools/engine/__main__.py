"""`python tools/engine`: a Pulumi engine from PATH, from its vendor, or built from source."""

import sys

from pulumi_engine.cli import main

if __name__ == "__main__":
    sys.exit(main())
