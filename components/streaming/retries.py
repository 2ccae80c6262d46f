"""Whether an attempt is made again, and after how long."""

from __future__ import annotations

import random

from components.streaming.faults import StreamFault
from components.streaming.limits import Limits


def pause_before_retry(fault: StreamFault, attempts: int, limits: Limits) -> float | None:
    """Seconds to wait before the next attempt, None when there must be none. ``attempts`` have been made."""
    if not fault.unprocessed or attempts > limits.retries_before_first_byte:
        return None
    if fault.retry_after is not None:
        return fault.retry_after if fault.retry_after <= limits.max_retry_after_s else None
    backoff = min(limits.backoff_s * 2.0 ** (attempts - 1), limits.max_backoff_s)
    return backoff * random.uniform(0.8, 1.2)  # noqa: S311 - jitter, no secret
