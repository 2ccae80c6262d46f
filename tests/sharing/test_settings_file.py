"""The settings file: readable JSON without the length limit of links."""

from __future__ import annotations

import json
import re
import time

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from components.drafts.draft import new_draft
from components.sharing.linked_settings import LinkedSettings
from components.sharing.problem import LinkProblem
from components.sharing.settings_file import MAX_FILE_BYTES, read_settings_file, settings_file
from tests.sharing.drafts import a_draft, digests_of, drafts, facts_of, facts_that_arrive, settings_of


@settings(suppress_health_check=[HealthCheck.too_slow])
@given(drafts, st.booleans())
def test_a_file_carries_the_whole_draft(draft, comparison):
    text = settings_file(draft, comparison=comparison)
    linked = read_settings_file(text.encode())
    opened = linked.apply(new_draft())
    assert linked.is_comparison == comparison
    assert facts_of(opened) == facts_that_arrive(draft, comparison=comparison)
    assert settings_file(opened, comparison=comparison) == text
    assert digests_of(opened, comparison=comparison) == digests_of(draft, comparison=comparison)


def test_a_file_is_readable_json():
    draft = a_draft("Grüße", endpoint="embedded", settings=settings_of(temperature=0.7, top_p=None))
    assert settings_file(draft).splitlines() == [
        "{",
        '  "tempera": 1,',
        '  "endpoint": "embedded",',
        '  "messages": [',
        "    {",
        '      "content": "Grüße"',
        "    }",
        "  ],",
        '  "model": "m",',
        '  "temperature": 0.7,',
        '  "top_p": null',
        "}",
    ]


def test_a_prompt_too_long_for_a_link_fits():
    draft = a_draft("word " * 100_000)
    assert facts_of(read_settings_file(settings_file(draft).encode()).apply(new_draft())) == facts_of(draft)


def test_too_large_settings_files_are_refused():
    with pytest.raises(LinkProblem, match=r"larger than the 1 MB that a file may have"):
        settings_file(a_draft("word " * 200_000))


def test_a_file_saved_by_a_windows_editor_opens():
    text = settings_file(a_draft("Hi")).replace("\n", "\r\n")
    assert read_settings_file(text.encode("utf-8-sig")).model == "m"


@pytest.mark.parametrize(
    ("content", "sentence"),
    [
        (b" " * (MAX_FILE_BYTES + 1), r"^This file is larger than 1 MB"),
        (b"", r"^This file is not JSON: "),
        (b'{"tempera": 1,}', r"^This file is not JSON: .* line 1 column 15"),
        (b'{"tempera": 1, "model": "\xff"}', r"^This file is not JSON: "),
        (b'{"tempera": 1, "model": "\\ud800"}', r"^This file is not JSON: "),
        (b"[" * 90_000, r"^This file is not JSON: "),
        (b"[" * 500_000, r"^This file holds more values"),
        (b"[1]", r"^This is not a file with settings of Tempera\."),
        (b'{"model": "m"}', r"^This is not a file with settings of Tempera\."),
        (b'{"tempera": true}', r"^This is not a file with settings of Tempera\."),
        (b'{"tempera": "1"}', r"^This is not a file with settings of Tempera\."),
        (b'{"tempera": 0}', r"^This is not a file with settings of Tempera\."),
        (b'{"tempera": 2, "unheard": "of"}', r"^This file was made by a newer version of Tempera\."),
        (b'{"tempera": 1, "temperature": "hot"}', r"^This file cannot be used\. temperature: Input should be a valid"),
        (b'{"tempera": 1, "temperature": NaN}', r"^This file cannot be used\. temperature: "),
        (b'{"tempera": 1, "max_tokens": 1.5}', r"^This file cannot be used\. max_tokens: "),
        (b'{"tempera": 1, "messages": [{}, {"role": "me"}]}', r"^This file cannot be used\. messages 2 role: "),
        (b'{"tempera": 1, "model": "\\u0000"}', r"^This file cannot be used\. model: it holds the character U\+0000\."),
        (b'{"tempera": 1, "base_url": "https://evil.example"}', r"^This file cannot be used\. base_url: Extra inputs"),
        (b'{"tempera": 1, "model": "a", "model": "b"}', r"^This file cannot be used: the key 'model' occurs twice\."),
        (b'{"tempera": 1, "tempera": 1}', r"^This file cannot be used: the key 'tempera' occurs twice\."),
    ],
)
def test_an_invalid_settings_file_is_refused_with_the_reason(content, sentence):
    with pytest.raises(LinkProblem, match=sentence):
        read_settings_file(content)


@given(st.binary() | st.text().map(lambda text: json.dumps({"tempera": 1, text: text}).encode()))
@example(b"\xef\xbb\xbf")
def test_any_file_gives_settings_or_one_sentence(content):
    sentence = "This is settings."
    try:
        assert isinstance(read_settings_file(content), LinkedSettings)
    except LinkProblem as problem:
        sentence = str(problem)
    assert re.fullmatch(r"(?s)This .*\.", sentence)


@pytest.mark.parametrize(
    "text",
    [
        '{"tempera":1,' + ",".join(f'"{number:05x}":0' for number in range(90_000)) + "}",
        '{"tempera":1,"messages":[' + "{}," * 300_000 + "{}]}",
        '{"tempera":1,"variables":{' + ",".join(f'"v{number}":""' for number in range(99)) + ',"v":""' * 140_000 + "}}",
    ],
    ids=["unknown keys", "empty messages", "a variable again and again"],
)
def test_the_most_expensive_file_is_cheap_to_open(text):
    assert len(text) <= MAX_FILE_BYTES
    began = time.process_time()
    with pytest.raises(LinkProblem):
        read_settings_file(text.encode())
    assert time.process_time() - began < 2
