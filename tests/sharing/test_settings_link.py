"""The settings link: lossless, and cut, edited or forged links give one sentence."""

from __future__ import annotations

import base64
import hashlib
import json
import random
import re
import time
import tracemalloc
import zlib
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from components.contract.fields import CONTRACT_FIELDS, FIELDS
from components.drafts.comparison import Comparison, Lane
from components.drafts.conversation import Turn, branched
from components.drafts.draft import new_draft
from components.drafts.setting import LARGEST_WHOLE, FieldState, Setting
from components.sharing import settings_link as module
from components.sharing.linked_settings import LinkedSettings
from components.sharing.problem import LinkProblem
from components.sharing.settings_link import (
    LONG,
    MAX_JSON_BYTES,
    MAX_LINK_CHARS,
    SHORT,
    Length,
    how_long,
    read_settings_link,
    settings_link,
)
from tests.sharing.drafts import a_draft, digests_of, drafts, facts_of, facts_that_arrive, settings_of

GALLERY = json.loads((Path(__file__).parent / "links.json").read_text())
"""Links of version 1 that may still be in use. Entries are only ever added, at the end."""

FIRST_ENTRIES = 53
FIRST_ENTRIES_SHA256 = "2b584e34c52c4496436515f228f49bd26f01372503bdf260c70f7632b890923a"

ALLOWED_KEYS = {
    *("endpoint", "model", "messages", *CONTRACT_FIELDS, "stream", "extra_body", "variables", "comparison"),
    *("role", "content", "prefix", "name", "tool_call_id", "tool_calls", "literal"),
    *("lanes", "repeats", "timing", "muted", "omit", "fields", "system"),
}
"""Every key that a link may contain: no address, credential, header, owner or limit."""

CUT = r"^This link was cut or changed on its way\. Ask for it again, or for a file\.$"
NEWER = r"^This link was made by a newer version of Tempera\. Update Tempera to open it\.$"
NO_LINK = r"^This is not a link to settings of Tempera\. Copy the whole link again\.$"
TOO_LARGE = r"^This link holds too much to be opened\. Ask for a stored link or a file\.$"
UNKNOWN = r"^This link holds a setting that this version of Tempera does not take\. Open it in a newer version\.$"

many = settings(suppress_health_check=[HealthCheck.too_slow])
A_LINK = settings_link(
    a_draft("Tell me about {{town}}.", variables={"town": "Zürich"}, settings=settings_of(temperature=0.7, top_p=None)),
    comparison=True,
)


PRESENT = [
    new_draft(),
    a_draft(
        "{{mine}}",
        endpoint="mine",
        settings=settings_of(temperature=0.9, top_p=0.8, max_tokens=7, random_seed=6, safe_prompt=True),
        stream=False,
        extra_body='{"mine": true}',
        variables={"mine": "yes", "name": "me"},
        comparison=Comparison(lanes=(Lane(id="3", model="mine"), Lane(id="7"), Lane(id="5")), highest_id=9, repeats=4),
    ),
]
"""Forms in which a link is opened: a new one and a completely filled one."""


def signed(payload: str) -> str:
    """A link with any payload and a valid checksum."""
    check = base64.urlsafe_b64encode(hashlib.sha256(f"1.{payload}".encode()).digest())[:8].decode()
    return f"1.{payload}.{check}"


def packed(content: bytes) -> bytes:
    deflate = zlib.compressobj(9, zlib.DEFLATED, -15, zdict=module._DICTIONARY)
    return deflate.compress(content) + deflate.flush()


def in_base64(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def forged(content: bytes | str | dict[str, Any]) -> str:
    """A link with any bytes, encoded like a real one."""
    text = json.dumps(content) if isinstance(content, dict) else content
    return signed(in_base64(packed(text.encode() if isinstance(text, str) else text)))


def content_of(link: str) -> dict[str, Any]:
    """The JSON in a link."""
    payload = link.split(".")[1]
    inflate = zlib.decompressobj(-15, zdict=module._DICTIONARY)
    return json.loads(inflate.decompress(base64.urlsafe_b64decode(payload + "=" * (-len(payload) % 4))))


def opened_or_refused(text: str) -> LinkedSettings | None:
    try:
        return read_settings_link(text)
    except LinkProblem as problem:
        sentence = str(problem)
    assert re.fullmatch(r"This [^\n]{20,200}\.", sentence)
    return None


# Lossless links.


@many
@given(drafts, st.booleans(), st.sampled_from(PRESENT))
def test_a_link_carries_the_whole_draft_and_ignores_the_open_form(draft, comparison, present):
    link = settings_link(draft, comparison=comparison)
    linked = read_settings_link(link)
    assert linked.is_comparison == comparison
    opened = linked.apply(present)
    assert facts_of(opened) == facts_that_arrive(draft, comparison=comparison)
    assert settings_link(opened, comparison=comparison) == link
    assert digests_of(opened, comparison=comparison) == digests_of(draft, comparison=comparison)
    for field, setting in opened.settings.items():
        if setting.state is not FieldState.VALUE:
            begins_with = FIELDS[field].begins_with if field in FIELDS else None
            assert setting == Setting(state=setting.state, value=begins_with)


@given(drafts, st.booleans())
def test_a_link_has_known_keys_needs_no_escaping_and_does_not_end_with_a_dot(draft, comparison):
    link = settings_link(draft, comparison=comparison)
    assert re.fullmatch(r"[A-Za-z0-9_.-]*[A-Za-z0-9_-]", link)
    content = content_of(link)
    assert set(content.pop("variables", {})) <= {"name", "city", "été"}
    assert keys_in(content) <= ALLOWED_KEYS


def test_hidden_values_are_in_no_link():
    secret = "sk-canary-1234567890"
    draft = a_draft("Hello", variables={"unused": secret})
    turns = branched((Turn(id="1", role="user", content=secret), *draft.turns), "1", "3")
    draft = draft.model_copy(
        update={
            "turns": (*turns[:-1], turns[-1].model_copy(update={"content": "Hi"})),
            "comparison": Comparison(lanes=(Lane(id="1", system=secret), Lane(id="2"))),
            "settings": {**draft.settings, "random_seed": Setting(value=8675309)},
        }
    )
    assert content_of(settings_link(draft)) == {"model": "m", "messages": [{"content": "Hi"}]}


def test_every_optional_field_is_in_a_link():
    assert set(CONTRACT_FIELDS) <= set(LinkedSettings.model_fields)
    content = content_of(settings_link(a_draft(settings=settings_of(**dict.fromkeys(CONTRACT_FIELDS[:4])))))
    assert [content[field] for field in CONTRACT_FIELDS[:4]] == [None] * 4


def test_the_compression_dictionary_is_unchanged():
    digest = "3356d5122ab41020636f8b0e63c79671d5facea098452ad295e3c85f860b9de4"
    assert hashlib.sha256(module._DICTIONARY).hexdigest() == digest, "existing links could no longer be read"


def test_a_prompt_of_a_thousand_characters_is_a_short_link():
    prompt = (
        "I run a small bakery in a town of about nine thousand people, and would like to sell bread by subscription. "
        "Customers would pay once a month and pick up two loaves every week. We have one oven, which takes twenty-four "
        "loaves at a time, and a single baker who begins at four in the morning. Flour costs us 1.10 euros a kilogram, "
        "and each loaf takes half of that, plus salt and some rye for the starter. Work out how many people we can "
        "serve without a second oven, what price covers the flour, the wages and a margin of twenty percent, and what "
        "might go wrong in the first three months. Show your calculation in a table, then list the assumptions that "
        "you made, and finish with two questions that you need answered before you would be sure. Keep the tone "
        "practical; I am going to show your answer to my bank and to my sister, who owns a third of the business and "
        "hates surprises. If a number is a guess, mark it with a star and say how far off it might be."
    )
    link = settings_link(a_draft(prompt, settings=settings_of(temperature=0.7)))
    assert 900 < len(prompt) < 1_000
    assert len(link) < 750


# Old links.


@pytest.mark.parametrize("entry", GALLERY, ids=[entry["what"] for entry in GALLERY])
def test_an_old_link_opens_with_the_same_request(entry):
    linked = read_settings_link(entry["link"])
    opened = linked.apply(new_draft())
    assert linked.is_comparison == entry["comparison"]
    assert facts_of(opened) == facts_of(new_draft()) | {"messages": []} | entry["opens_to"]
    assert digests_of(opened, comparison=entry["comparison"]) == entry["bodies"]


def test_no_entry_of_the_gallery_was_changed():
    text = json.dumps(GALLERY[:FIRST_ENTRIES], sort_keys=True)
    assert hashlib.sha256(text.encode()).hexdigest() == FIRST_ENTRIES_SHA256


def test_the_gallery_has_a_link_for_every_field():
    contents = [content_of(entry["link"]) for entry in GALLERY]
    for content in contents:
        content["variables"] = {}
    assert set().union(*map(keys_in, contents)) == ALLOWED_KEYS


# Invalid links give one sentence.


@many
@given(st.text() | st.binary().map(lambda data: data.decode("latin-1")))
@example("")
@example("1.")
@example("1..")
@example("1..AAAAAAAA")
@example("1.\ud800.AAAAAAAA")
@example("\uff11.AAAA.AAAAAAAA")
def test_any_text_is_refused_with_one_sentence(text):
    assert opened_or_refused(text) is None


@many
@given(st.binary(max_size=200))
def test_any_payload_gives_settings_or_one_sentence(data):
    opened_or_refused(signed(in_base64(data)))
    opened_or_refused(forged(data))


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5) | st.sampled_from(["user", "omit"]),
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(sorted(ALLOWED_KEYS)), inner, max_size=4)
    ),
    max_leaves=10,
)


@given(st.dictionaries(st.sampled_from(sorted(ALLOWED_KEYS)), json_values, max_size=3))
def test_any_content_gives_shareable_settings_or_one_sentence(content):
    linked = opened_or_refused(forged(content))
    if linked is not None:
        opened = linked.apply(new_draft())
        again = read_settings_link(settings_link(opened, comparison=linked.is_comparison))
        assert facts_of(again.apply(new_draft())) == facts_that_arrive(opened, comparison=linked.is_comparison)
        linked.changes()


@pytest.mark.parametrize("kept", range(2, len(A_LINK)))
def test_a_cut_link_is_recognised(kept):
    with pytest.raises(LinkProblem, match=CUT):
        read_settings_link(A_LINK[:kept])


@many
@given(st.integers(2, len(A_LINK) - 1), st.sampled_from("ABCabc019-_. +%\n=é"))
def test_an_edited_link_is_recognised(place, character):
    for edited in (
        A_LINK[:place] + character + A_LINK[place + 1 :],
        A_LINK[:place] + character + A_LINK[place:],
        A_LINK[:place] + A_LINK[place + 1 :],
    ):
        if edited != A_LINK:
            with pytest.raises(LinkProblem, match=CUT):
                read_settings_link(edited)


@given(st.data())
def test_a_flipped_bit_never_opens(data):
    place = data.draw(st.integers(0, len(A_LINK) - 1))
    flipped = chr(ord(A_LINK[place]) ^ 1 << data.draw(st.integers(0, 6)))
    with pytest.raises(LinkProblem):
        read_settings_link(A_LINK[:place] + flipped + A_LINK[place + 1 :])


def test_a_link_without_its_final_underscore_opens():
    links = (settings_link(a_draft(f"Prompt {number}")) for number in range(10_000))
    link = next(link for link in links if link.endswith("_"))
    assert read_settings_link(link.rstrip("_")) == read_settings_link(link)


@pytest.mark.parametrize("text", ["2.AAAA.BBBBBBBB", "17.anything/else?", f"2{A_LINK[1:]}", "999999.\n"])
def test_a_link_of_a_newer_version_is_recognised(text):
    with pytest.raises(LinkProblem, match=NEWER):
        read_settings_link(text)


@pytest.mark.parametrize(
    "text",
    ["", "hello", "0.AAAA.BBBBBBBB", "01.AAAA.BBBBBBBB", "-1.A.B", " 1.A.B", "1", "9" * 5_000 + ".A.B", "https://x"],
)
def test_other_text_than_a_link_is_refused(text):
    with pytest.raises(LinkProblem, match=NO_LINK):
        read_settings_link(text)


STORED_BLOCK = b"\x01\x02\x00\xfd\xff{}"

LANES = {"comparison": {"lanes": [{}, {}]}}

REFUSED = {
    "too many characters": ("1." + "A" * MAX_LINK_CHARS, TOO_LARGE),
    "JSON of one byte too many": (forged(b"{" + b" " * (MAX_JSON_BYTES - 1) + b"}"), TOO_LARGE),
    "standard base64": (signed("+/+/"), CUT),
    "padding": (signed("q64FAA=="), CUT),
    "a single character of base64": (signed("q64FA"), CUT),
    "white space": (signed("q64F AA"), CUT),
    "a line break at the end": (A_LINK + "\n", CUT),
    "invalid deflate": (signed(in_base64(b"\xff\xff\xff")), CUT),
    "a zlib header": (signed(in_base64(zlib.compress(b"{}"))), CUT),
    "truncated deflate": (signed(in_base64(packed(b"{}" * 50)[:-1])), CUT),
    "data after the end": (signed(in_base64(STORED_BLOCK + b"x")), CUT),
    "bytes that are no UTF-8": (forged(b'{"model": "\xff"}'), UNKNOWN),
    "an overlong NUL": (forged(b'{"model": "\xc0\x80"}'), UNKNOWN),
    "half a surrogate pair in UTF-8": (forged(b'{"model": "\xed\xa0\x80"}'), UNKNOWN),
    "half a surrogate pair, escaped": (forged('{"model": "\\ud800"}'), UNKNOWN),
    "NUL": (forged({"model": "a\0"}), UNKNOWN),
    "NUL in the name of a variable": (forged({"variables": {"a\0": "b"}}), UNKNOWN),
    "nothing": (forged(b""), UNKNOWN),
    "a list": (forged(b"[]"), UNKNOWN),
    "text after the JSON": (forged(b"{} {}"), UNKNOWN),
    "a byte order mark": (forged("\ufeff{}"), UNKNOWN),
    "NaN": (forged('{"temperature": NaN}'), UNKNOWN),
    "Infinity": (forged('{"temperature": -Infinity}'), UNKNOWN),
    "a number beyond a float": (forged('{"temperature": 1e400}'), UNKNOWN),
    "a number beyond whole ones": (forged({"temperature": 2.0**53}), UNKNOWN),
    "a whole number too large": (forged({"random_seed": LARGEST_WHOLE + 1}), UNKNOWN),
    "a whole number too small": (forged({"max_tokens": -LARGEST_WHOLE - 1}), UNKNOWN),
    "5,000 digits": (forged('{"max_tokens": ' + "1" * 5_000 + "}"), UNKNOWN),
    "half a token": (forged({"max_tokens": 0.5}), UNKNOWN),
    "a number as text": (forged({"temperature": "0.5"}), UNKNOWN),
    "true for a number": (forged({"temperature": True}), UNKNOWN),
    "true for a whole number": (forged({"max_tokens": True}), UNKNOWN),
    "a number for true": (forged({"safe_prompt": 1}), UNKNOWN),
    "null for safe_prompt": (forged({"safe_prompt": None}), UNKNOWN),
    "text for stream": (forged({"stream": "false"}), UNKNOWN),
    "null for stream": (forged({"stream": None}), UNKNOWN),
    "a key that occurs twice": (forged('{"model": "a", "model": "b"}'), UNKNOWN),
    "a variable that occurs twice": (forged('{"variables": {"a": "b", "a": "c"}}'), UNKNOWN),
    "a variable without a name": (forged({"variables": {"": "b"}}), UNKNOWN),
    "a variable that no template can name": (forged({"variables": {"a b": "c"}}), UNKNOWN),
    "a line break behind the name of a variable": (forged({"variables": {"a\n": "c"}}), UNKNOWN),
    "too many variables": (forged({"variables": {f"v{number}": "" for number in range(101)}}), UNKNOWN),
    "an unknown field": (forged({"n": 2}), UNKNOWN),
    "an address": (forged({"base_url": "https://evil.example"}), UNKNOWN),
    "a key": (forged({"api_key": "sk-1"}), UNKNOWN),
    "a prototype": (forged({"__proto__": {}}), UNKNOWN),
    "an endpoint that is not a name": (forged({"endpoint": {"url": "https://evil.example"}}), UNKNOWN),
    "an endpoint without a name": (forged({"endpoint": ""}), UNKNOWN),
    "an endpoint of 101 characters": (forged({"endpoint": "e" * 101}), UNKNOWN),
    "an unknown role": (forged({"messages": [{"role": "developer", "content": ""}]}), UNKNOWN),
    "an unknown field in a message": (forged({"messages": [{"content": "", "id": "1"}]}), UNKNOWN),
    "201 messages": (forged({"messages": [{}] * 201}), UNKNOWN),
    "an object for messages": (forged({"messages": {}}), UNKNOWN),
    "parts of a message": (forged({"messages": [{"content": [{"type": "text", "text": "Hi"}]}]}), UNKNOWN),
    "nesting": (forged('{"extra_body": ' + '{"a":' * 9 + "1" + "}" * 10), UNKNOWN),
    "deep nesting": (forged("[" * 60_000), UNKNOWN),
    "one lane": (forged({"comparison": {"lanes": [{}]}}), UNKNOWN),
    "nine lanes": (forged({"comparison": {"lanes": [{}] * 9}}), UNKNOWN),
    "no lanes": (forged({"comparison": {}}), UNKNOWN),
    "a lane's id": (forged({"comparison": {"lanes": [{"id": "1"}, {}]}}), UNKNOWN),
    "a lane's name that is too long": (forged({"comparison": {"lanes": [{"name": "n" * 41}, {}]}}), UNKNOWN),
    "a lane that leaves out an unknown field": (
        forged({"comparison": {"lanes": [{"omit": ["no field"]}, {}]}}),
        UNKNOWN,
    ),
    "a field that occurs twice": (forged({"fields": [["n", 1], ["n", 2]]}), UNKNOWN),
    "a field of the contract among the others": (forged({"fields": [["top_p", 1]]}), UNKNOWN),
    "a field without a value": (forged({"fields": [["n"]]}), UNKNOWN),
    "a field with a character that is no text": (forged({"fields": [["stop", ["a\0"]]]}), UNKNOWN),
    "a lane that leaves out a field and sends it": (
        forged({"comparison": {"lanes": [{"omit": ["n"], "fields": [["n", 1]]}, {}]}}),
        UNKNOWN,
    ),
    "a lane that leaves a field out twice": (forged({"comparison": {"lanes": [{"omit": ["top_p"] * 2}, {}]}}), UNKNOWN),
    "a lane that sets what it leaves out": (
        forged({"comparison": {"lanes": [{"omit": ["top_p"], "top_p": None}, {}]}}),
        UNKNOWN,
    ),
    "no repeats": (forged({"comparison": LANES["comparison"] | {"repeats": 0}}), UNKNOWN),
    "21 repeats": (forged({"comparison": LANES["comparison"] | {"repeats": 21}}), UNKNOWN),
    "an unknown timing": (forged({"comparison": LANES["comparison"] | {"timing": "at night"}}), UNKNOWN),
}


@pytest.mark.parametrize("case", REFUSED)
def test_a_forged_link_is_refused(case):
    link, sentence = REFUSED[case]
    with pytest.raises(LinkProblem, match=sentence):
        read_settings_link(link)


def test_links_forged_with_valid_content_open():
    assert read_settings_link(forged(LANES)).is_comparison
    assert read_settings_link(signed(in_base64(STORED_BLOCK))).to_json() == {}
    at_the_limit = b'{"model":"' + b"m" * (MAX_JSON_BYTES - 12) + b'"}'
    assert len(read_settings_link(forged(at_the_limit)).model or "") == MAX_JSON_BYTES - 12


HEAVY = {
    "a bomb": b" " * 80_000_000,
    "a bomb of 1,000 to 1": b" " * 1_000_000,
    "unknown keys": ("{" + ",".join(f'"{number:04x}":0' for number in range(7_000)) + "}").encode(),
    "empty messages": b'{"messages":[' + b"{}," * 21_000 + b"{}]}",
    "wrong messages": b'{"messages":[' + b"1," * 32_000 + b"1]}",
    "nested lists": b"[" * 65_000,
    "nested objects": b'{"a":' * 13_000,
    "wrong variables": ('{"variables":{' + ",".join(f'"{number}":1' for number in range(6_000)) + "}}").encode(),
    "a variable again and again": (
        '{"variables":{' + ",".join(f'"v{number}":""' for number in range(99)) + ',"v":""' * 8_500 + "}}"
    ).encode(),
    "a field left out again and again": b'{"comparison":{"lanes":[{},{"omit":[' + b"1," * 32_000 + b"1]}]}}",
    "a number of 60,000 digits": b'{"random_seed":' + b"9" * 60_000 + b"}",
    "a fraction of 60,000 digits": b'{"temperature":0.' + b"9" * 60_000 + b"}",
    "a text of escapes": ('{"messages":[{"content":"' + "\\u4e00\\n" * 8_000 + '"}]}').encode(),
    "as many messages as a link takes": json.dumps({"messages": [{"content": "é" * 50}] * 200}).encode(),
}


def seconds_to_open(link: str) -> float:
    """The processor time, which other load does not change."""
    began = time.thread_time()
    opened_or_refused(link)
    return time.thread_time() - began


@pytest.mark.parametrize("case", HEAVY)
def test_the_most_expensive_link_is_cheap_to_open(case):
    link = forged(HEAVY[case])
    assert len(link) <= MAX_LINK_CHARS
    assert min(seconds_to_open(link) for _ in range(3)) < 0.2
    tracemalloc.start()
    opened_or_refused(link)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak < 5_000_000


# Settings that no link can contain.


@pytest.mark.parametrize(
    ("draft", "sentence"),
    [
        (a_draft("word " * 14_000), r"too long for a link\. Use a stored link or a file"),
        (a_draft(settings=settings_of(temperature=float("nan"))), r"cannot be shared\. temperature: "),
        (a_draft(settings=settings_of(random_seed=2**53)), r"cannot be shared\. random_seed: "),
        (a_draft(settings=settings_of(random_seed=10**5_000)), "thousands of digits"),
        (a_draft("\ud800"), "half a surrogate pair"),
        (a_draft("a\0b"), r"cannot be shared\. messages 1 content: it holds the character U\+0000\."),
        (a_draft(endpoint="e" * 101), r"cannot be shared\. endpoint: "),
        (a_draft(*["Hi"] * 201), r"cannot be shared\. messages: "),
    ],
)
def test_unlinkable_settings_are_named(draft, sentence):
    with pytest.raises(LinkProblem, match=sentence):
        settings_link(draft)


def test_incompressible_text_makes_a_working_link():
    draft = a_draft(base64.b64encode(random.Random(1).randbytes(48_000)).decode())
    assert facts_of(read_settings_link(settings_link(draft)).apply(new_draft())) == facts_of(draft)


@pytest.mark.parametrize(
    ("characters", "length"),
    [
        (1, Length.SHORT),
        (SHORT, Length.SHORT),
        (SHORT + 1, Length.LONG),
        (LONG, Length.LONG),
        (LONG + 1, Length.TOO_LONG),
    ],
)
def test_the_length_of_the_whole_address_counts(characters, length):
    assert how_long("h" * characters) is length


def keys_in(value: object) -> set[str]:
    if isinstance(value, dict):
        return set(value).union(*map(keys_in, value.values()))
    return set().union(*map(keys_in, value)) if isinstance(value, list) else set()
