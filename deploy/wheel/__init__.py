"""The installed package: the project's top level, and the command ``tempera``."""

from __future__ import annotations

import runpy
import sys
from pathlib import Path


def main() -> None:
    """Run ``python -m components`` where the package is installed."""
    sys.path.insert(0, str(Path(__file__).parent))
    runpy.run_module("components", run_name="__main__")
