"""`python tools/dist`: builds what a release consists of into `dist/`."""

import sys

from release.cli import main

if __name__ == "__main__":
    sys.exit(main())
