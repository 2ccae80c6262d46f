"""Generates a curl command for any POSIX shell."""

from __future__ import annotations

from components.snippets import sentences
from components.snippets.problem import CannotExport

# Linux's limit for a single argument (MAX_ARG_STRLEN, with the terminating zero byte).
_MAX_BYTES = 128 * 1024 - 1


def to_curl(body: str, base_url: str, key_variable: str | None) -> str:
    """A command that posts ``body`` and prints the answer as it arrives.

    Raises CannotExport for a body that is too long for a command line.
    """
    if len(body.encode()) > _MAX_BYTES:
        raise CannotExport(sentences.TOO_LONG_FOR_CURL)
    # In double quotes the shell expands the key's variable; everything else is in single quotes.
    authorization = f'  -H "Authorization: Bearer ${key_variable}" \\\n' if key_variable else ""
    return (
        f"curl -N {_quoted(f'{base_url}/chat/completions')} \\\n"
        f"{authorization}"
        "  -H 'Accept: text/event-stream' \\\n"
        "  -H 'Content-Type: application/json' \\\n"
        f"  --data-raw {_quoted(body)}\n"
    )


def _quoted(text: str) -> str:
    # Within single quotes everything is literal; a single quote itself must be outside of them.
    return "'" + text.replace("'", r"'\''") + "'"
