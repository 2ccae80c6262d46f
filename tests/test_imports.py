"""Imports have no cycles, also within packages, which import-linter does not check."""

from __future__ import annotations

from graphlib import TopologicalSorter

import grimp


def test_imports_have_no_cycles_including_type_imports() -> None:
    graph = grimp.build_graph("components", cache_dir=None)
    # Raises CycleError, which names the files.
    TopologicalSorter({file: graph.find_modules_directly_imported_by(file) for file in graph.modules}).prepare()
