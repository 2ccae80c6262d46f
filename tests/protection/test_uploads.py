from __future__ import annotations

from collections.abc import Mapping

import pytest

from components.protection.uploads import UploadRefused, Uploads


def none_is_gone(_session: str) -> bool:
    return False


def status(uploads: Uploads, session: str, size: int, held: Mapping[str, int] | None = None) -> int:
    """The status that the route gives an upload; 204 if it would be accepted."""
    try:
        with uploads.receiving(session, size, lambda: held or {}, none_is_gone):
            return 204
    except UploadRefused as refused:
        return refused.status


def test_a_session_accepts_files_while_its_page_shows_an_uploader() -> None:
    uploads = Uploads(10, 20)
    assert status(uploads, "s", 1) == 403
    with uploads.page("s"):
        uploads.register("s", "me", None)
        assert status(uploads, "s", 1) == 204
    # It is accepted also while the page is drawn again, since uploads can arrive at any time.
    with uploads.page("s"):
        assert status(uploads, "s", 1) == 204
        uploads.register("s", "me", None)
    assert status(uploads, "s", 1) == 204
    with uploads.page("s"):
        pass
    assert status(uploads, "s", 1) == 403


def test_an_interrupted_page_keeps_its_uploads() -> None:
    uploads = Uploads(10, 20)
    with uploads.page("s"):
        uploads.register("s", "me", None)
    with pytest.raises(KeyboardInterrupt), uploads.page("s"):
        raise KeyboardInterrupt
    assert status(uploads, "s", 1) == 204


def test_held_and_arriving_uploads_count_together() -> None:
    uploads = Uploads(10, 20)
    for session in ("s", "t"):
        uploads.register(session, "me", None)
    uploads.register("u", "them", None)
    assert status(uploads, "t", 4, {"s": 6}) == 204
    assert status(uploads, "t", 5, {"s": 6}) == 413
    with uploads.receiving("s", 6, dict, none_is_gone):
        assert status(uploads, "t", 5) == 413
        assert status(uploads, "u", 10) == 204
    assert status(uploads, "t", 5) == 204


def test_a_network_has_one_share_for_all_visitors() -> None:
    uploads = Uploads(10, 20)
    for number in range(3):
        uploads.register(f"s{number}", f"visitor {number}", "here")
    uploads.register("far", "visitor", "there")
    held = {"s0": 10, "s1": 8}
    assert (status(uploads, "s2", 3, held), status(uploads, "s2", 2, held)) == (413, 204)
    assert status(uploads, "far", 10, held) == 204


def test_files_of_closed_pages_are_removed_first() -> None:
    uploads, held = Uploads(10, 20), {"closed": 10, "others": 10}
    uploads.register("closed", "me", None)
    uploads.register("s", "me", None)
    uploads.register("others", "them", None)

    def free(session: str) -> bool:
        return session != "s" and held.pop(session, None) is not None

    with uploads.receiving("s", 5, lambda: held, free):
        assert held == {"others": 10}
