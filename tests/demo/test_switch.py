from __future__ import annotations

from pathlib import Path

import pytest

from components.demo.settings import DemoSettings
from components.demo.switch import Switch
from components.settings import read_settings


class Clock:
    now = 100.0

    def __call__(self) -> float:
        return self.now


def never_stops() -> bool:
    return False


def test_the_file_stops_and_resumes_the_demo_within_five_seconds(tmp_path: Path) -> None:
    file, clock = tmp_path / "stop", Clock()
    switch = Switch(DemoSettings(stop_file=str(file)), never_stops, clock)
    for _ in range(3):
        assert switch.sentence() is None
        file.touch()
        clock.now += 4.9
        assert "paused by its operator" in (switch.sentence() or "")
        file.unlink()
        clock.now += 4.9
    assert switch.sentence() is None


def test_the_file_is_checked_at_most_once_a_second(tmp_path: Path) -> None:
    file, clock = tmp_path / "stop", Clock()
    switch = Switch(DemoSettings(stop_file=str(file)), never_stops, clock)
    assert switch.sentence() is None
    file.touch()
    clock.now += 0.9
    assert switch.sentence() is None
    clock.now += 0.2
    assert switch.sentence()


@pytest.mark.parametrize(
    ("value", "thrown"), [("1", True), ("yes", True), ("stop it", True), ("0", False), ("", False)]
)
def test_the_environment_stops_the_demo(value: str, thrown: bool) -> None:
    settings = read_settings({"TEMPERA_DEMO_STOP": value})
    assert bool(Switch(DemoSettings(), lambda: settings.demo_stop).sentence()) == thrown


@pytest.mark.parametrize("path", ["\0", "x" * 5_000])
def test_an_invalid_path_counts_as_an_existing_file(path: str) -> None:
    assert Switch(DemoSettings(stop_file=path), never_stops).sentence()


def test_a_path_in_a_missing_folder_counts_as_no_file(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    assert Switch(DemoSettings(stop_file=str(tmp_path / "none" / "stop")), never_stops).sentence() is None
    assert Switch(DemoSettings(stop_file=str(tmp_path / "file" / "stop")), never_stops).sentence() is None
