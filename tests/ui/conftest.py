from __future__ import annotations

from tests.pages.conftest import _compile_pages_once, _no_search_for_components, _wait_without_polling

__all__ = ["_compile_pages_once", "_no_search_for_components", "_wait_without_polling"]
