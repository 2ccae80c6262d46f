"""A comparison to open on the compare page, with a different request in each lane."""

from __future__ import annotations

import uuid

from components.drafts.comparison import Comparison, Lane
from components.drafts.draft import new_draft
from components.drafts.setting import FieldState, Setting
from components.drafts.store import save_draft
from components.endpoints.configuration import ENVIRONMENT
from components.log.log import Log


def keep_comparison(database_url: str, lanes: int) -> str:
    """Store a draft of this many lanes with the seeds 1, 2 and so on; return its id for the page's address.

    Returns when it is written, so that a server which starts then finds it.
    """
    comparison = Comparison(lanes=tuple(_lane(seed) for seed in range(1, lanes + 1)), highest_id=lanes)
    # Named although the form would choose them: a lane without them would not run.
    draft = new_draft().model_copy(update={"endpoint": ENVIRONMENT, "model": "m", "comparison": comparison})
    draft_id = uuid.uuid4().hex
    log = Log(database_url)
    save_draft(log, draft_id, draft.to_text())
    log.close()
    assert log.problem is None, log.problem
    return draft_id


def _lane(seed: int) -> Lane:
    return Lane(id=str(seed), settings={"random_seed": Setting(state=FieldState.VALUE, value=seed)})
