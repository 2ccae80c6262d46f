"""Errors of every shape become one sentence of plain text and name their fields."""

import json
import re
import time
import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from components.contract.errors import MAX_SENTENCE, has_words_of_an_error, plain_text, read_error, single_line

TEMPERATURE_PROBLEM = {
    "type": "less_than_equal",
    "loc": ["body", "temperature"],
    "msg": "Input should be less than or equal to 1",
    "input": 2,
}
ROLE_ORDER = "Expected last role User or Tool (or Assistant with prefix True) for serving but got assistant"


TAG = re.compile(r"<[a-zA-Z/!?][^<>]*>")


def assert_harmless(text):
    """The text is short and printable; it is shown as plain text, so angle brackets are harmless."""
    assert len(text) <= MAX_SENTENCE
    assert not any(unicodedata.category(character) in ("Cc", "Cs") for character in text)
    assert not any(hidden in text for hidden in "\u061c\u200b\u200e\u200f\u202a\u202b\u202d\u202e\u2066\u2069\ufeff")
    assert text == " ".join(text.split())


@pytest.mark.parametrize(
    ("body", "sentence", "fields"),
    [
        ({"message": "Unauthorized", "request_id": "r"}, "Unauthorized", ()),
        ({"detail": "Unauthorized"}, "Unauthorized", ()),
        ({"detail": "Not Found"}, "Not Found", ()),
        (
            {"object": "error", "message": "Invalid model: x", "type": "invalid_model", "param": None, "code": "1500"},
            "Invalid model: x",
            (),
        ),
        ({"object": "error", "message": ROLE_ORDER, "type": "invalid_request_error"}, ROLE_ORDER, ()),
        (
            {"detail": [TEMPERATURE_PROBLEM]},
            "temperature: Input should be less than or equal to 1",
            ("temperature",),
        ),
        (
            {"object": "error", "message": {"detail": [TEMPERATURE_PROBLEM]}},
            "temperature: Input should be less than or equal to 1",
            ("temperature",),
        ),
        (
            {
                "detail": [
                    {"loc": ["body", "messages", 0, "role"], "msg": "Field required"},
                    {"loc": ["body", "seed"], "msg": "Extra inputs are not permitted"},
                    {"loc": ["body", "messages", 1, "role"], "msg": "Field required"},
                ]
            },
            "messages.0.role: Field required; seed: Extra inputs are not permitted; messages.1.role: Field required",
            ("messages", "seed"),
        ),
        ({"detail": [{"loc": ["body"], "msg": "Field required"}]}, "Field required", ()),
        ({"detail": [{"msg": "Field required"}]}, "Field required", ()),
        ({"detail": {"msg": "no", "loc": "body"}}, "no", ()),
        ({"message": "Requests rate limit exceeded"}, "Requests rate limit exceeded", ()),
        (
            {"object": "error", "message": "Rate limit exceeded", "type": "rate_limited", "code": "1300"},
            "Rate limit exceeded",
            (),
        ),
        ({"object": "error", "message": "Service unavailable.", "type": "internal"}, "Service unavailable.", ()),
        ({"error": {"message": "too hot", "param": "temperature", "code": 400}}, "too hot", ("temperature",)),
        ({"error": "loading model"}, "loading model", ()),
        ({"error": {"message": ["first", "second"]}}, "first; second", ()),
        ({"title": "Bad Gateway"}, "Bad Gateway", ()),
        ({"errors": [{"message": "a"}, {"detail": "b"}]}, "a; b", ()),
        ({"message": "", "detail": "the detail"}, "the detail", ()),
        (["first", {"message": "second"}], "first; second", ()),
        ("just text", "just text", ()),
    ],
)
def test_each_known_shape_gives_its_sentence_and_fields(body, sentence, fields):
    raw = json.dumps(body)
    error = read_error(raw, 400)
    assert (error.sentence, error.fields, error.raw) == (sentence, fields, raw)


MODERATED = '{"error": {"message": "Too many images", "code": 400}}'
FILTERED = "The response was filtered due to the prompt triggering our content management policy."


@pytest.mark.parametrize(
    ("body", "sentence", "fields"),
    [
        # OAuth and the envelopes of frameworks: a code or the status text takes the place of the message.
        ({"error": "invalid_client", "error_description": "No such client."}, "No such client.", ()),
        ({"statusCode": 400, "message": ["top_p must be a number"], "error": "Bad Request"},
         "top_p must be a number", ()),
        ({"status": 502, "error": "Bad Gateway", "message": "no worker is left", "path": "/v1"},
         "no worker is left", ()),
        ({"detail": {"error": "worker_lost", "message": "The worker is lost"}}, "The worker is lost", ()),
        ({"message": "Forbidden", "detail": "This model needs a licence."}, "This model needs a licence.", ()),
        # AWS writes capitals; Lambda and SageMaker have names of their own.
        ({"__type": "ThrottlingException", "Message": "Too many tokens"}, "Too many tokens", ()),
        ({"message": None, "Message": "No access to the model"}, "No access to the model", ()),
        ({"Error": {"Code": "AccessDenied", "Message": "No access here"}}, "No access here", ()),
        ({"errorMessage": "2026 Task timed out", "errorType": "Runtime"}, "2026 Task timed out", ()),
        ({"Message": 'Received error (400) from model', "OriginalMessage": '{"error": "prompt is too long"}'},
         "prompt is too long", ()),
        # Azure.
        ({"error": {"code": "content_filter", "message": FILTERED, "param": "prompt",
                    "innererror": {"code": "ResponsibleAIPolicyViolation"}}}, FILTERED, ("prompt",)),
        ({"statusCode": 429, "message": "Rate limit is exceeded."}, "Rate limit is exceeded.", ()),
        ({"error": {"code": "Invalid input", "message": "invalid input error", "details": [TEMPERATURE_PROBLEM]}},
         "temperature: Input should be less than or equal to 1", ("temperature",)),
        # Google: a list around it, and the fields in its details.
        ([{"error": {"code": 400, "message": "API key not valid.", "status": "INVALID_ARGUMENT", "details": [
            {"@type": "type.googleapis.com/google.rpc.ErrorInfo", "reason": "API_KEY_INVALID"}]}}],
         "API key not valid.", ()),
        ({"error": {"message": "Invalid value", "details": [{"fieldViolations": [
            {"field": "topP", "description": "must be below 1"}]}]}}, "topP: must be below 1", ("topP",)),
        # Gateways.
        ({"fault": {"faultstring": "Invalid ApiKey", "detail": {"errorcode": "oauth.v2.InvalidApiKey"}}},
         "Invalid ApiKey", ()),
        ({"success": False, "errors": [{"code": 7003, "message": "No route for that URI"}], "messages": []},
         "No route for that URI", ()),
        ({"error": {"message": "Provider returned error", "metadata": {"raw": MODERATED, "provider_name": "P"}}},
         "Too many images", ()),
        ({"error": {"message": "Provider returned error", "metadata": {"raw": "", "provider_name": "P"}}},
         "Provider returned error", ()),
        ({"message": MODERATED}, "Too many images", ()),
        ({"base_resp": {"status_code": 1004, "status_msg": "login fail"}}, "login fail", ()),
        ({"status": {"code": 402, "message": "The quota is used up"}}, "The quota is used up", ()),
        # Lists of problems.
        ({"title": "Invalid.", "status": 400, "errors": {"top_p": ["must be below 1."], "$.n": ["is no number."]}},
         "top_p: must be below 1.; n: is no number.", ("top_p", "n")),
        ({"title": "Your request is not valid.", "errors": [{"detail": "must be positive", "pointer": "#/max_tokens"}]},
         "max_tokens: must be positive", ("max_tokens",)),
        ({"title": "Invalid.", "invalid-params": [{"name": "stop", "reason": "must be a list"}]},
         "stop: must be a list", ("stop",)),
        ({"type": "about:blank", "title": "Not enough credit.", "detail": "Your balance is 30.", "status": 403},
         "Your balance is 30.", ()),
        ({"message": "The given data was invalid.", "errors": {"seed": ["The seed must be an integer."]}},
         "The seed must be an integer.", ("seed",)),
        ({"errors": [{"msg": "Invalid value", "path": "top_p", "location": "body"}]},
         "top_p: Invalid value", ("top_p",)),
        ({"error": {"issues": [{"path": ["messages", 0, "role"], "message": "Required"}]}},
         "messages.0.role: Required", ("messages",)),
        ({"error": {"message": "no system role", "param": "messages[0].role"}}, "no system role", ("messages",)),
        ({"errors": [{"title": "Invalid", "detail": "too long", "source": {"pointer": "/stop/0"}}]},
         "stop.0: too long", ("stop",)),
        ({"errors": {"n": "must be 1 here"}}, "n: must be 1 here", ("n",)),
        ({"code": 422, "errors": {"json": {"n": ["must be 1 here"]}}}, "n: must be 1 here", ("n",)),
        ({"model": ["This field is required."], "non_field_errors": ["Not today."]},
         "model: This field is required.; Not today.", ("model",)),
        ({"response": {"status": "x", "data": {"err": "no worker here"}}}, "no worker here", ()),
        # Text with angle brackets that are not tags.
        ({"error": {"message": "Expected <class 'int'>, 0<=n and n<m for m>2, not <think>"}},
         "Expected <class 'int'>, 0<=n and n<m for m>2, not <think>", ()),
        ({"error": "Unexpected token '<', \"<html>\r\n<h\"... is not valid JSON"},
         "Unexpected token '<', \"<html> <h\"... is not valid JSON", ()),
        ({"message": "upstream: <html>\r\n<head><title>502 Bad Gateway</title></head></html>"},
         "upstream: 502 Bad Gateway", ()),
    ],
)  # fmt: skip
def test_the_most_specific_message_is_found_in_all_places(body, sentence, fields):
    error = read_error(json.dumps(body), 400)
    assert (error.sentence, error.fields) == (sentence, fields)


@pytest.mark.parametrize(
    "body",
    [
        '\ufeff{"error": {"message": "too hot"}}',
        ' \r\n{"error": "too hot"}\n{"done": true}\n',
        'data: {"error": {"message": "too hot"}}\n\ndata: [DONE]\n\n',
        '\ufeffevent: error\r\ndata: {"error":\r\ndata:  "too hot"}\r\n\r\n',
        ': ping\r\rdata: {"id": 1}\r\rerror: {"message": "too hot"}\r\r',
        "data: too hot\n\ndata: [DONE]\n\n",
    ],
)
def test_an_error_is_found_in_json_with_other_text_and_in_events(body):
    assert read_error(body, 400).sentence == "too hot"


@pytest.mark.parametrize("text", ["id: 5 is no model", "[error] no model", "error: <no model>", "{no model}"])
def test_text_that_resembles_json_or_events_is_kept(text):
    assert read_error(text, 400, media_type="text/plain").sentence == text


@pytest.mark.parametrize("media_type", ["text/html", "application/xhtml+xml", "application/xml"])
def test_tags_are_removed_from_markup_only(media_type):
    body = "Error: <b>no</b> &amp; <i>never</i>"
    assert read_error(body, 400, media_type=media_type).sentence == "Error: no & never"
    assert read_error(body, 400, media_type="text/plain").sentence == "Error: <b>no</b> & <i>never</i>"
    assert read_error('{"error": "no <b>"}', 400, media_type=media_type).sentence == "no <b>"


@pytest.mark.parametrize(
    "body",
    ["", " \r\n", "null", "5", "{}", "[]", '{"message": 5}', '{"message": null}', '{"detail": [null, 5, {}]}',
     '{"error": {"code": 5}}', "<html></html>", "\x00\x01"],
)  # fmt: skip
def test_a_body_without_a_message_gives_the_status_in_words(body):
    assert read_error(body, 503).sentence == "The endpoint answered 503 Service Unavailable without a message."
    assert read_error(body, 429).sentence.endswith("Wait, or run fewer at once.")
    assert read_error(body, 599).sentence == "The endpoint answered 599 without a message."
    assert read_error(body).sentence == "The endpoint reported an error without a message."


@pytest.mark.parametrize(
    ("body", "code"),
    [
        ('{"error": {"type": "tokens", "code": "insufficient_quota"}}', "insufficient_quota"),
        ('{"error": {"code": 429, "status": "RESOURCE_EXHAUSTED"}}', "RESOURCE_EXHAUSTED"),
        ('{"__type": "ThrottlingException"}', "ThrottlingException"),
    ],
)
def test_a_code_is_shown_without_a_message(body, code):
    limit = "Its limit of requests or tokens is probably reached. Wait, or run fewer at once."
    assert read_error(body, 429).sentence == f"The endpoint answered 429 Too Many Requests: {code}. {limit}"
    assert read_error(body).sentence == f"The endpoint reported an error: {code}."


@pytest.mark.parametrize("nested", ['{"error":%s,"message":[%s]}', "[%s,%s]", '{"errors":{"a":[%s]},"data":%s}'])
def test_a_deeply_nested_body_is_read_in_linear_time(nested):
    body = '{"detail":[{"loc":["x"]}]}'
    while len(body) < 30_000:
        body = nested % (body, body)
    started = time.thread_time()
    read_error(body, 400)
    assert time.thread_time() - started < 0.3


def test_text_that_is_no_json_is_the_sentence():
    assert read_error("upstream connect error\nreset", 502).sentence == "upstream connect error reset"


def test_a_page_of_html_loses_its_tags_scripts_and_comments():
    page = (
        "<!DOCTYPE html><html><head><title>502</title><style>p{}</style><script>alert('x')</script></head>"
        "<body onload='f()'><!-- a <b> comment --><h1>Bad&nbsp;Gateway</h1><SCRIPT\n>evil()</SCRIPT ></body></html>"
    )
    assert read_error(page, 502).sentence == "502 Bad Gateway"


def test_an_xml_error_keeps_its_message():
    body = '<?xml version="1.0" encoding="UTF-8"?>\n<Error><Code>AccessDenied</Code> <Message>No</Message></Error>'
    assert read_error(body, 403).sentence == "AccessDenied No"


@pytest.mark.parametrize(
    "body",
    [
        "<" * 65536,
        "<a" * 32768,
        "<script>" * 8192,
        "<!--" * 16384,
        "&lt;" * 16384,
        "&" * 65536,
        " " * 65536,
        "\x00" * 65536,
        "x" * 65536,
        json.dumps({"message": "<script>" * 8000}),
        '{"error":' * 7000 + '"deep"' + "}" * 7000,
        '{"error":' * 200_000,
        "[" * 65536,
        json.dumps({"detail": [[[[["x" * 100] * 10] * 10] * 10]]}),
        '{"message": ' + "9" * 60_000 + "}",
        "<scr<script>ipt>alert(1)</scr</script>ipt>",
        "<\x00script>alert(1)</\x00script>",
        "\u202egnp.exe\u2066 \u061c\x1b[31mred\x9b0m\x7f\u2028",
        '{"message": "\\ud800 \\u0000 \\u202e x"}',
    ],
    ids=lambda body: body[:12].encode("unicode_escape").decode(),
)
def test_hostile_bodies_quickly_give_a_short_harmless_sentence(body):
    started = time.thread_time()
    error = read_error(body, 500)
    assert time.thread_time() - started < 0.3
    assert_harmless(error.sentence)
    assert not TAG.search(error.sentence) or body.startswith("{")


def test_a_long_sentence_is_cut_with_an_ellipsis():
    sentence = read_error("word " * 1000).sentence
    assert len(sentence) == MAX_SENTENCE
    assert sentence.endswith("…")


def test_messages_are_found_down_to_a_limited_depth():
    def nested(depth):
        return read_error('{"error":' * depth + '"deep"' + "}" * depth, 500).sentence

    assert nested(8) == "deep"
    assert nested(9) == "The endpoint answered 500 Internal Server Error without a message."


def test_many_problems_are_cut_to_the_first_ten():
    problems = [{"loc": ["body", f"field{number}"], "msg": "no"} for number in range(1000)]
    assert read_error(json.dumps({"detail": problems})).fields == tuple(f"field{number}" for number in range(10))


@pytest.mark.parametrize("key", ["loc", "param"])
def test_names_of_fields_become_plain_text(key):
    hostile = "<b>temp\x00\ud800" + "x" * 10_000
    body = {"msg": "no", "loc": ["body", hostile]} if key == "loc" else {"message": "no", "param": hostile}
    (field,) = read_error(json.dumps(body)).fields
    assert_harmless(field)
    assert field.startswith("temp x")
    assert len(field) <= 100


def test_a_field_without_a_name_is_not_named():
    assert read_error('{"message": "no", "param": ""}').fields == ()
    assert read_error('{"msg": "no", "loc": ["body", "<br>"]}').fields == ()


@given(st.text(st.characters(exclude_categories=())))
def test_any_text_becomes_plain_text(text):
    assert_harmless(plain_text(text))
    assert_harmless(single_line(text))
    assert not TAG.search(plain_text(text))


@given(st.lists(st.sampled_from(["<", ">", "/", "!", "--", "script", "a", " ", "&lt;", "&#60;", "\x00", "\u200b"])))
def test_no_arrangement_of_brackets_leaves_a_tag(pieces):
    text = "".join(pieces)
    assert not TAG.search(plain_text(text))
    assert not TAG.search(read_error(f"<html><p>{text}", 502).sentence)


any_json = st.recursive(
    st.none() | st.integers() | st.text(max_size=20),
    lambda inner: (
        st.lists(inner, max_size=4)
        | st.dictionaries(
            st.sampled_from(
                ["error", "message", "detail", "msg", "loc", "param", "errors", "title", "metadata", "raw"]
            ),
            inner,
            max_size=4,
        )
    ),
    max_leaves=20,
)


@given(any_json)
def test_any_json_gives_a_harmless_sentence(value):
    error = read_error(json.dumps(value), 400)
    assert error.sentence
    assert_harmless(error.sentence)
    assert all(isinstance(field, str) for field in error.fields)


@pytest.mark.parametrize("before", [0, 480, 490, 3990])
@pytest.mark.parametrize("key", ["sk-canary-0123456789", "sk&#45;canary&#45;0123456789"])
def test_a_secret_is_masked_before_a_limit_cuts_it(before, key):
    def hide(text):
        return text.replace("sk-canary-0123456789", "***")

    body = json.dumps({"message": "<b></b>" * (before // 10) + "x" * (before % 500) + key + "y" * 9000})
    error = read_error(body, 400, hide=hide)
    assert "sk" not in error.sentence
    assert "sk-canary" not in error.raw
    fields = read_error(json.dumps({"detail": [{"loc": ["x" * 95 + "sk-canary-0123456789"], "msg": "no"}]}), hide=hide)
    assert fields.fields == ("x" * 95 + "***",)


@pytest.mark.parametrize(
    ("body", "recognised"),
    [
        ('{"detail": "Not Found"}', True),
        ('{"message": {"detail": [{"msg": "no"}]}}', True),
        ('{"error_code": 17, "error_msg": "no"}', True),
        ('{"choices": []}', False),
        ('{"message": ""}', False),
        ('{"message": "<b></b>"}', False),
        ('[{"error": {"message": "no"}}]', True),
        ('\ufeff{"msg": "no"}', True),
        ('{"object": "list", "data": ["no"]}', False),
        ("[1]", False),
        ('["no"]', False),
        ("not json", False),
        ("[" * 100_000, False),
    ],
)
def test_error_objects_are_recognised(body, recognised):
    assert has_words_of_an_error(body) is recognised
