"""The button that saves a capsule as a single file."""

from __future__ import annotations

import re

from components.server.process import service
from components.sharing.capsule import Capsule
from components.sharing.collection import with_links_opened
from components.ui.choices import draw_file_button
from components.ui.share.single_file import single_file
from components.ui.visitor import links

_WHAT = (
    "An HTML page that opens without a network, with the answers, differences, events and replay. Tempera can open it "
    "again and check that it is unchanged. It holds up to 4 MB of texts and events."
)


def draw_download(capsule: Capsule, key: str = "single_file", *, opens_links: bool = False) -> None:
    """Draw the button. The file is made when it is pressed.

    ``opens_links`` is for a collection of the visitor's own links; others have the capsules that they show.
    """
    name = re.sub(r"[^a-z0-9]+", "-", capsule.title.lower()).strip("-")[:60] or "shared"

    def file() -> str:
        database = links() if opens_links else None
        return single_file(with_links_opened(database, capsule) if database else capsule, service().log)

    draw_file_button("Download as one file", key, file, f"{name}.html", "text/html", _WHAT)
