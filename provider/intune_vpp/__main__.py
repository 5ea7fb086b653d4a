"""`python -m intune_vpp` serves the plugin, as Pulumi's language host starts it."""

import sys

from intune_vpp.plugin.start import main

if __name__ == "__main__":
    sys.exit(main())
