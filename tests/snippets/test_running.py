"""Every snippet runs as a program and sends the bytes that Tempera sends."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from components.contract.profile import BEEZY
from components.contract.request import to_bytes
from components.snippets.export import Language, export
from components.snippets.problem import CannotExport
from tests.contract.test_request import a_request
from tests.embedded.conftest import MODEL, Endpoint

from .cases import CASES, NASTY, OPEN_CASES
from .conftest import ANSWER, Recorder, environment

KEY = "key-of-the-snippets"
PYTHON = [Language.REQUESTS, Language.MISTRALAI, Language.OPENAI]
NASTY_CASES = [
    (BEEZY, a_request(messages=[{"role": "user", "content": text} for text in texts]))
    for texts in (NASTY, [text for text in NASTY if "\ud83d" not in text])
]
CURL = shutil.which("curl")


def run(command: list[object], key: str = KEY) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [str(part) for part in command],
        env=environment(key),
        cwd="/",
        stdin=subprocess.DEVNULL,
        capture_output=True,
        encoding="utf-8",
        timeout=60,
    )


def run_python(texts: list[str], folder: Path, key: str = KEY) -> list[str]:
    """The output of each snippet."""
    files = [folder / f"snippet_{number}.py" for number in range(len(texts))]
    for file, text in zip(files, texts, strict=True):
        file.write_text(text, encoding="utf-8")
    done = run([sys.executable, Path(__file__).with_name("run_all.py"), *files], key)
    assert (done.returncode, done.stderr) == (0, "")
    return done.stdout.split("\0")[:-1]


@pytest.mark.parametrize("language", PYTHON)
def test_python_snippets_send_the_request_and_print_the_answer(language, recorder: Recorder, tmp_path: Path):
    texts, expected = [], []
    for profile, request in [*CASES, *OPEN_CASES, *NASTY_CASES]:
        try:
            texts.append(export(request, profile, recorder.base_url, language))
        except CannotExport:
            continue
        expected.append(to_bytes(request, profile))
    assert len(texts) > 25
    texts.append(export(a_request(), BEEZY, recorder.base_url, language, None))
    expected.append(to_bytes(a_request()))
    assert run_python(texts, tmp_path) == [f"{ANSWER}\n"] * len(texts)
    if language is Language.REQUESTS:
        assert recorder.bodies == expected
    assert recorder.fields() == [json.loads(body) for body in expected]
    assert set(recorder.paths) == {"/v1/chat/completions"}
    *with_key, without_key = recorder.headers
    assert {headers["authorization"] for headers in with_key} == {f"Bearer {KEY}"}
    assert "foreign" not in str(without_key)


@pytest.mark.skipif(CURL is None, reason="there is no curl here; a shell with a stand-in covers its arguments")
def test_curl_sends_the_request_and_prints_the_answer(recorder: Recorder, tmp_path: Path):
    cases = [*CASES, *OPEN_CASES, *NASTY_CASES]
    script = tmp_path / "script.sh"
    script.write_text("".join(export(request, profile, recorder.base_url, Language.CURL) for profile, request in cases))
    done = run(["sh", script])
    assert done.returncode == 0
    assert done.stdout.count("morning") == len(cases)
    assert recorder.bodies == [to_bytes(request, profile) for profile, request in cases]
    for headers in recorder.headers:
        assert headers["authorization"] == f"Bearer {KEY}"
        assert (headers["accept"], headers["content-type"]) == ("text/event-stream", "application/json")


def test_a_refusal_is_shown(recorder: Recorder, tmp_path: Path):
    recorder.status = 404
    for stream in (True, False):
        file = tmp_path / "snippet.py"
        file.write_text(export(a_request(stream=stream), BEEZY, recorder.base_url, Language.REQUESTS))
        done = run([sys.executable, file])
        assert done.returncode == 1
        assert done.stderr == 'HTTP 404: {"message": "No such model here"}\n'


# The requests of both clients are tested above, their reading of answers in tests/embedded.
@pytest.mark.parametrize("languages", [PYTHON[:1], pytest.param(PYTHON, marks=pytest.mark.long)])
def test_every_snippet_works_on_a_real_model(endpoint: Endpoint, tmp_path: Path, languages: list[Language]):
    question = [{"role": "user", "content": "Which city is the capital of France?"}]
    requests = [
        a_request(model=MODEL, messages=question, temperature=0.0, max_tokens=20, random_seed=1, stream=stream)
        for stream in (True, False)
    ]
    texts = [
        export(request, BEEZY, endpoint.base_url, language, "API_KEY") for language in languages for request in requests
    ]
    answers = run_python(texts, tmp_path, endpoint.key)
    assert len(set(answers)) == 1
    assert "Paris" in answers[0]
    if CURL is not None:
        script = tmp_path / "script.sh"
        script.write_text(export(requests[1], BEEZY, endpoint.base_url, Language.CURL))
        assert "Paris" in run(["sh", script], endpoint.key).stdout
