"""The command ``tempera``: starts the app, runs an experiment file, serves the embedded model, or reads one answer."""

from __future__ import annotations

import argparse
import runpy
import sys
from pathlib import Path

from components import __version__

_APP = Path(__file__).parent.parent / "app.py"
_COMMANDS = {
    "run": ("streamlit", ["run", str(_APP)], "start the app; takes the options of `streamlit run`"),
    "experiment": ("components.experiments", [], "run an experiment file and fail when a check or a limit breaks"),
    "serve-model": ("components.embedded", [], "serve the embedded model on this machine"),
    "backup": ("components.log.backup", ["save"], "write the log's database to a file"),
    "restore": ("components.log.backup", ["restore"], "replace the log's database by such a file"),
    "read": ("components.streaming", [], "send the request on standard input and print its events"),
}
"""For each command its module, the module's first arguments, and its help."""


def main() -> None:
    """Run the module of the command, which gets all further arguments."""
    parser = argparse.ArgumentParser(
        prog="tempera",
        description="A playground in the browser for streaming chat completions.",
        epilog="\n".join(f"{name:12} {summary}" for name, (_, _, summary) in _COMMANDS.items()),
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--version", action="version", version=f"tempera {__version__}")
    parser.add_argument("command", choices=_COMMANDS)
    parser.add_argument("arguments", nargs=argparse.REMAINDER, help="`tempera COMMAND --help` lists them")
    chosen = parser.parse_args()
    module, first, _ = _COMMANDS[chosen.command]
    sys.argv[1:] = [*first, *chosen.arguments]
    runpy.run_module(module, run_name="__main__", alter_sys=True)


if __name__ == "__main__":
    main()
