"""The wheel, built and installed in a separate environment."""

from __future__ import annotations

import subprocess
import sys
import sysconfig
import venv
from pathlib import Path

import pytest

from components import __version__
from components.__main__ import main
from tests.browser.conftest import ROOT, app_environment, free_port, wait_until_it_answers
from tests.deploy.container import files
from tests.security.session import ask


@pytest.fixture(scope="module")
def tempera(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The installed command. Its environment borrows the libraries of the tests; Tempera comes from the wheel."""
    folder = tmp_path_factory.mktemp("wheel")
    pip = [sys.executable, "-m", "pip", "--quiet", "--disable-pip-version-check"]
    subprocess.run([*pip, "wheel", "--no-deps", "--no-build-isolation", "--wheel-dir", folder, ROOT], check=True)
    venv.create(folder / "installed", with_pip=False)
    python = folder / "installed" / "bin" / "python"
    [wheel] = folder.glob("*.whl")
    subprocess.run([*pip, "--python", python, "install", "--no-deps", "--no-index", wheel], check=True)
    [packages] = folder.glob("installed/lib/python*/site-packages")
    (packages / "borrowed.pth").write_text(sysconfig.get_path("purelib"))
    return python.parent / "tempera"


def test_the_wheel_contains_exactly_the_files_of_the_app(tempera: Path) -> None:
    [package] = tempera.parent.parent.glob("lib/python*/site-packages/tempera")
    installed = {
        str(path.relative_to(package)) for path in package.rglob("*") if path.is_file() and path.suffix != ".pyc"
    }
    project = {path for path in files() if path.startswith(("app.py", "components/", "pages/", ".streamlit/config"))}
    assert installed == {path for path in project if not path.endswith(".pyc")} | {"__init__.py"}


def test_the_command_prints_its_version_and_passes_arguments(tempera: Path, tmp_path: Path) -> None:
    version = subprocess.run([tempera, "--version"], cwd=tmp_path, capture_output=True, text=True, check=True)
    assert version.stdout == f"tempera {__version__}\n"
    refused = subprocess.run([tempera, "read", "--base-url", "x"], cwd=tmp_path, capture_output=True, text=True)
    assert (refused.returncode, "--base-url" in refused.stderr) == (2, True), refused.stderr


@pytest.mark.filterwarnings("ignore:.*found in sys.modules:RuntimeWarning")  # another test may have loaded the command
@pytest.mark.parametrize(
    ("command", "option"), [("read", "--base-url"), ("serve-model", "--port"), ("experiment", "walk")]
)
def test_each_command_receives_its_arguments(
    command: str, option: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(sys, "argv", ["tempera", command, option, "x"])
    with pytest.raises(SystemExit) as ended:
        main()
    assert ended.value.code == 2
    assert option in capsys.readouterr().err


def test_the_app_runs_with_its_own_settings(tempera: Path, tmp_path: Path) -> None:
    port = free_port()
    with open(tmp_path / "app.log", "w") as log:
        command = [tempera, "run", "--server.port", str(port)]
        process = subprocess.Popen(command, cwd=tmp_path, env=app_environment(tmp_path), stdout=log, stderr=log)
        try:
            wait_until_it_answers(f"http://127.0.0.1:{port}/healthz", tmp_path / "app.log")
            page = ask(f"http://127.0.0.1:{port}", "/")
        finally:
            process.terminate()
            process.wait(20)
    assert b"Tempera" in page.body  # the page shell, which only the app has
