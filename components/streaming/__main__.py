"""A command that reads one answer, to debug an endpoint from a terminal.

Reads a request's JSON from standard input, calls the endpoint and prints one JSON line per event, then one that says
how it ended. The key comes from TEMPERA_API_KEY.
"""

from __future__ import annotations

import argparse
import json
import sys

from components.contract.profile import PROFILES, profile_named
from components.contract.request import from_bytes, to_bytes
from components.settings import read_settings
from components.streaming.limits import Limits
from components.streaming.outcome import Outcome, Status
from components.streaming.session import ApiKey, check_api_key, check_base_url
from components.streaming.stream import AnswerStream

_TIMINGS = ("ttft_ms", "ttfo_ms", "total_ms", "gap_p50_ms", "gap_p95_ms", "gap_max_ms", "gap_count")


def main() -> int:
    """Run the reader; returns 0 when the run ended ok, 1 when it did not, 2 for unusable arguments or input."""
    parser = argparse.ArgumentParser(prog="python -m components.streaming", description=__doc__)
    parser.add_argument("--base-url", required=True, help="the endpoint's base URL, which ends in /v1")
    parser.add_argument("--dialect", default="beezy", choices=PROFILES)
    parser.add_argument("--limits", default="{}", help='limits as JSON, for example {"total_s": 10}')
    parser.add_argument("--raw", action="store_true", help="print each event as it came instead of its deltas")
    arguments = parser.parse_args()
    try:
        base_url = check_base_url(arguments.base_url)
        secret = check_api_key(read_settings().api_key)
        limits = Limits.from_mapping(_object(arguments.limits, "--limits"))
        text = sys.stdin.buffer.read().decode()
        request = _object(text, "Standard input")
    except ValueError as error:
        parser.error(str(error))
    stream = AnswerStream(
        base_url,
        _body(text, arguments.dialect),
        key=ApiKey(secret, base_url) if secret else None,
        streaming=request.get("stream", True) is not False,
        limits=limits,
    )
    for event in stream:
        if arguments.raw and event.event != "flush":
            _print({"event": event.event, "data": event.data, "at_ms": event.at_ms})
        elif not arguments.raw:
            for delta in event.deltas:
                _print({"index": delta.index, "text": delta.text, "reasoning": delta.reasoning, "at_ms": event.at_ms})
    _print(_last_line(stream.outcome))
    return 0 if stream.outcome.status is Status.OK else 1


def _object(text: str, where: str) -> dict[str, object]:
    try:
        value = json.loads(text)
    except ValueError as error:
        raise ValueError(f"{where} must hold a JSON object: {error}") from None
    if not isinstance(value, dict):
        raise ValueError(f"{where} must hold a JSON object.")
    return value


def _body(text: str, dialect: str) -> bytes:
    """The request in its dialect. JSON that is not a request of the contract is sent unchanged."""
    try:
        return to_bytes(from_bytes(text), profile_named(dialect))
    except ValueError as error:
        print(f"Sent unchanged, because it is not a request of the contract: {error}", file=sys.stderr)
        return text.encode()


def _last_line(outcome: Outcome) -> dict[str, object]:
    usage = outcome.usage
    return {
        "status": outcome.status.value,
        "error_kind": outcome.error_kind.value if outcome.error_kind else None,
        "http_status": outcome.http_status,
        "finish_reason": outcome.finish_reason,
        "text": outcome.text,
        "reasoning": outcome.reasoning,
        "tool_calls": [vars(call) for call in outcome.tool_calls],
        "usage": None if usage is None else vars(usage),
        **{name: getattr(outcome.timings, name) for name in _TIMINGS},
        "tokens_per_second": outcome.rate.per_second,
        "rate_basis": outcome.rate.basis,
        "message": outcome.message,
        "model": outcome.served_model,
        "system_fingerprint": outcome.system_fingerprint,
        "request_id": outcome.request_id,
        "attempts": outcome.attempts,
        "warnings": outcome.warnings,
        **({"texts": outcome.texts} if len(outcome.texts) > 1 else {}),
    }


def _print(line: dict[str, object]) -> None:
    print(json.dumps(line), flush=True)


if __name__ == "__main__":
    sys.exit(main())
