"""Reads a paste from standard input and prints the request in it, with notes on what was changed or left out, as JSON.

Ends with 2 and one sentence when there is no request in it.
"""

from __future__ import annotations

import argparse
import json
import sys

from components.contract.profile import PROFILES, profile_named
from components.contract.request import UnsendableField, to_bytes
from components.snippets.importing import import_request
from components.snippets.problem import ImportProblem


def main() -> int:
    """Import what stands on standard input; 0 when a request was found, else 2."""
    parser = argparse.ArgumentParser(prog="python -m components.snippets", description=__doc__)
    parser.add_argument("--dialect", default="beezy", choices=PROFILES)
    profile = profile_named(parser.parse_args().dialect)
    try:
        imported = import_request(sys.stdin.buffer.read().decode(errors="replace"), profile)
        body = json.loads(to_bytes(imported.request, profile))
    except (ImportProblem, UnsendableField) as problem:
        print(problem, file=sys.stderr)
        return 2
    print(json.dumps({"body": body, "notes": imported.notes}))
    return 0


if __name__ == "__main__":
    sys.exit(main())
