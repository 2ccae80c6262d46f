"""One module reads the environment, and the table in docs is made from it."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from components.settings import VARIABLES, read_settings, settings_table, variable_name

ROOT = Path(__file__).resolve().parents[1]
TEXTS = [
    *(path for folder in ("components", "pages", "docs", "deploy") for path in (ROOT / folder).rglob("*")),
    *(ROOT / name for name in ("app.py", "README.md", "Dockerfile", "ARCHITECTURE.md", "CONTRIBUTING.md")),
]

_NAMED = re.compile(r"(?<![\w.])TEMPERA_[A-Z_]*[A-Z](?!\w| =)")
"""A variable; not a name of Python such as ``sentences.TEMPERA_FAILED``."""


def test_unset_variables_have_their_defaults() -> None:
    settings = read_settings({})
    assert settings.database_url.startswith("sqlite:///")
    assert "tempera" in settings.database_url
    assert settings.cache_dir.name == "tempera"
    assert (settings.keep_days, settings.sweep_confirm_requests, settings.demo) == (None, 1_000, False)
    assert settings.problems == {}


def test_values_are_stripped_of_spaces(tmp_path: Path) -> None:
    settings = read_settings(
        {
            "TEMPERA_DATABASE_URL": "sqlite:///x",
            "TEMPERA_CACHE_DIR": f" {tmp_path} ",
            "TEMPERA_KEEP_DAYS": "1.5",
            "TEMPERA_DEMO": " True ",
            "TEMPERA_FRAME_ANCESTORS": "https://a.example  https://*.b.example:8080",
            "SPACE_HOST": "a.hf.space",
        }
    )
    assert (settings.database_url, settings.cache_dir, settings.keep_days) == ("sqlite:///x", tmp_path, 1.5)
    assert settings.demo
    assert settings.frame_ancestors == ("https://a.example", "https://*.b.example:8080")
    assert settings.public_address == "https://a.hf.space"
    assert settings.problems == {}


@pytest.mark.parametrize(
    ("field", "text", "holds"),
    [
        *(("keep_days", text, None) for text in ("soon", "0", "-1", "nan", "inf", "1e9")),
        *(("embedded_threads", text, None) for text in ("many", "0", "-2", "1.5")),
        ("sweep_confirm_requests", "few", 1_000),
        ("own_endpoints", "perhaps", False),
        ("public_url", "playground.example", ""),
        # Unreadable values fall back to the safe setting.
        ("demo", "please", True),
        ("demo_stop", "stop it", True),
        ("login", "off", "required"),
    ],
)
def test_an_unreadable_value_is_named_with_the_expected_format(field: str, text: str, holds: object) -> None:
    settings = read_settings({variable_name(field): text, "TEMPERA_MODEL": "m"})
    assert getattr(settings, field) == holds
    assert settings.model == "m"
    (sentence,) = settings.problems[field]
    assert sentence.startswith(f"{variable_name(field)} must be {VARIABLES[field].values}, not '{text}'.")


def test_a_value_that_is_no_text_is_named_too() -> None:
    # Bytes that are not UTF-8 are in the environment as lone surrogates.
    settings = read_settings({"TEMPERA_PUBLIC_URL": "https://\udcff.example", "TEMPERA_MODEL": "m"})
    assert (settings.public_url, settings.model) == ("", "m")
    assert "not 'https://\\udcff.example'" in settings.problems["public_url"][0]


def test_keys_and_passwords_are_not_shown() -> None:
    settings = read_settings({"TEMPERA_API_KEY": "canary", "TEMPERA_DATABASE_URL": "postgresql://me:canary@host/x"})
    assert "canary" not in f"{settings} {settings!r}"


def test_the_table_in_the_docs_is_up_to_date() -> None:
    assert settings_table() in (ROOT / "docs" / "settings.md").read_text()


def test_every_mentioned_variable_is_read() -> None:
    known = set(map(variable_name, VARIABLES))
    for path in TEXTS:
        if path.suffix in (".py", ".md", ".yaml", ".toml", "") and path.is_file():
            named = set(_NAMED.findall(path.read_text())) - {"TEMPERA_API_KEY_FILE"}
            assert named <= known, path


def test_only_the_settings_module_reads_the_environment() -> None:
    for path in [ROOT / "app.py", *(ROOT / "pages").rglob("*.py"), *(ROOT / "components").rglob("*.py")]:
        if path.name != "settings.py" and "snippets" not in path.parts:
            assert not re.search(r"os\.environ(\.get|\[)|getenv", path.read_text()), path
