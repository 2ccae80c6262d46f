"""All faults, in the order of a connection's phases."""

from __future__ import annotations

from tests.faults.bodies import BODIES
from tests.faults.breaks import BREAKS
from tests.faults.connecting import CONNECTING
from tests.faults.dialects import DIALECTS
from tests.faults.events import EVENTS
from tests.faults.statuses import STATUSES

FAULTS = (*CONNECTING, *STATUSES, *BODIES, *BREAKS, *EVENTS, *DIALECTS)
