"""Runs the snippets in the given files in sequence, as programs; a zero byte ends each output.

They share a process because importing a client takes a second.
"""

from __future__ import annotations

import runpy
import sys

for name in sys.argv[1:]:
    runpy.run_path(name, run_name="__main__")
    sys.stdout.write("\0")
