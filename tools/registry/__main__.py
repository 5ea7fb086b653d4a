"""`python tools/registry [ROOT]`: what Pulumi's registry would find wrong with the package, without a request."""

import sys

from registry_rules import main

if __name__ == "__main__":
    sys.exit(main())
