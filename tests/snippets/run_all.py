"""Runs the snippets whose files are named, one after the other, as programs; a zero byte ends each one's output.

Several share a process because an import of a client costs a second.
"""

from __future__ import annotations

import runpy
import sys

for name in sys.argv[1:]:
    runpy.run_path(name, run_name="__main__")
    sys.stdout.write("\0")
