"""`python tools/reference`: writes the pages of docs/reference from schema.json."""

import sys

from reference_pages import main

if __name__ == "__main__":
    sys.exit(main())
