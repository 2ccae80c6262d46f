"""A body as a curl command for any POSIX shell."""

from __future__ import annotations

from components.snippets import sentences
from components.snippets.language import CannotSay

# Linux takes no single argument longer than this (MAX_ARG_STRLEN, with the zero byte that ends it).
_MOST_BYTES = 128 * 1024 - 1


def to_curl(body: str, base_url: str, key_variable: str | None) -> str:
    """A command that posts ``body`` and shows the answer as it arrives.

    Raises CannotSay for a body that is too long for a command line.
    """
    if len(body.encode()) > _MOST_BYTES:
        raise CannotSay(sentences.TOO_LONG_FOR_CURL)
    # In double quotes, so that the shell puts the key in; everything else is quoted against the shell.
    authorization = f'  -H "Authorization: Bearer ${key_variable}" \\\n' if key_variable else ""
    return (
        f"curl -N {_quoted(f'{base_url}/chat/completions')} \\\n"
        f"{authorization}"
        "  -H 'Accept: text/event-stream' \\\n"
        "  -H 'Content-Type: application/json' \\\n"
        f"  --data-raw {_quoted(body)}\n"
    )


def _quoted(text: str) -> str:
    # Between single quotes a shell leaves everything alone; a single quote itself must stand outside of them.
    return "'" + text.replace("'", r"'\''") + "'"
