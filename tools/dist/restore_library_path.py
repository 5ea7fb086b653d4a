"""Runs first in the archive's plugin: programs that it starts, such as `az`, must not load the archive's libraries.

On Linux, PyInstaller's loader adds the archive's folder to the search path of libraries, which child processes inherit.
https://pyinstaller.org/en/stable/common-issues-and-pitfalls.html#launching-external-programs-from-the-frozen-application
"""

import os
import sys

_PATH = "LD_LIBRARY_PATH"

if sys.platform == "linux":
    original = os.environ.pop(f"{_PATH}_ORIG", None)
    os.environ.pop(_PATH, None)
    if original is not None:
        os.environ[_PATH] = original
