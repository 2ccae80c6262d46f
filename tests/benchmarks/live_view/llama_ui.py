"""llama.cpp's own web page, out of the ``xllamacpp`` wheel: its server in a process of its own.

    python -m tests.benchmarks.live_view.llama_ui MODEL PORT

The page asks its server for more than the answer (its settings, the model's properties), so the real one runs, with the
embedded model; the answers come from the source, which stands before it. Ends when its standard input does.
"""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from components.embedded.weights import SMOLLM2, is_intact
from components.settings import read_settings
from tests.benchmarks.live_view.source import ROOT
from tests.browser.conftest import free_port


def model() -> Path | None:
    """The embedded model's weights, if they are on this machine."""
    path = read_settings().cache_dir / SMOLLM2.file_name
    return path if is_intact(path, SMOLLM2) else None


@contextmanager
def llama_server(model: Path) -> Iterator[str]:
    """The address of a llama.cpp server with its web page."""
    command = [sys.executable, "-m", __name__, str(model), str(free_port())]
    with subprocess.Popen(
        command, cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True
    ) as process:
        assert process.stdin is not None
        assert process.stdout is not None
        try:
            yield process.stdout.readline().strip()
        finally:
            process.stdin.close()


def main() -> None:
    import xllamacpp  # a hundred megabytes, which the driver importing this module does not need

    parameters = xllamacpp.CommonParams()
    parameters.model.path = sys.argv[1]
    parameters.port = int(sys.argv[2])
    parameters.ui = True
    parameters.n_ctx = 512
    parameters.cpuparams.n_threads = parameters.cpuparams_batch.n_threads = 1
    server = xllamacpp.Server(parameters)
    print(server.listening_address, flush=True)
    sys.stdin.read()


if __name__ == "__main__":
    main()
