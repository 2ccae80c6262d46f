"""Reads a paste from standard input and prints its request as JSON, with notes on changes and omissions.

Exits with 2 and one sentence when the paste has no request.
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
    """Import the text on standard input; returns 0 when it has a request, else 2."""
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
