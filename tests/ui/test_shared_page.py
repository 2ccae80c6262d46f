"""The number of answers of a capsule side by side."""

from __future__ import annotations

import pytest

from components.ui.share.shared_page import in_a_row


@pytest.mark.parametrize(
    ("repeats", "wanted"),
    [
        ([1, 2, 3, 4] * 4, 4),
        ([1, 2] * 4, 2),
        ([1, 1, 1], 3),
        ([None] * 5, 3),
        ([1] * 8, 4),
        ([1, 2, 3, 1, 2], 3),
    ],
)
def test_a_row_contains_the_repeats_of_a_lane_or_is_filled_evenly(repeats: list[int | None], wanted: int) -> None:
    assert in_a_row(repeats) == wanted
