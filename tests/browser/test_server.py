from __future__ import annotations

import socket
import subprocess
import sys

from tests.browser.conftest import ROOT


def test_a_port_in_use_is_named() -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        app = subprocess.run(
            [sys.executable, "-m", "streamlit", "run", "app.py", "--server.port", str(port)],
            cwd=ROOT,
            capture_output=True,
            text=True,
            timeout=60,
        )
    assert app.returncode != 0
    assert f"Port {port} is not available" in app.stdout + app.stderr
