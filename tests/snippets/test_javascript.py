"""JavaScript of people and browsers is read and never run."""

from __future__ import annotations

import json

import pytest

from components.contract.credentials import WHERE_KEYS_BELONG
from components.contract.profile import BEEZY, OPENAI
from components.snippets.importing import import_request
from components.snippets.problem import ImportProblem
from tests.contract.test_request import a_request

TALK = [{"role": "user", "content": "Hello"}]
REQUEST = a_request(messages=TALK)
BODY = json.dumps({"model": "m", "messages": TALK, "stream": True})
KEY = "canary-4711"
MESSAGES = '[{role: "user", content: "Hello"}]'

CODE = {
    "fetch": f"""fetch("http://h/v1", {{
  "headers": {{"accept": "*/*"}},
  "body": {json.dumps(BODY)},
  "method": "POST"
}});""",
    "fetch of Node": f'await fetch("http://h/v1", {{ "body": {json.dumps(BODY)}, "method": "POST" }}) ;',
    "stringify": f"""
const response = await fetch(`${{BASE}}/chat/completions`, {{
  method: 'POST',
  headers: {{ 'Content-Type': 'application/json' }}, // JSON
  body: JSON.stringify({{
    model: 'm',
    messages: {MESSAGES},
    stream: true,
  }}),
}});
const data = await response.json();
""",
    "stringified name": f"""
let messages = {MESSAGES}
const body = {{ model: "m", messages, stream: false }}
body.stream = true
fetch(url, {{ method: "POST", body: JSON.stringify(body, null, 2) }})
messages = []
""",
    "text of a body": f"const body = '{BODY}';\nfetch(url, {{body}})",
    "axios": f"axios.post(url, {{model: 'm', messages: {MESSAGES}, stream: true}}, {{timeout: 1000}})",
    "axios of one object": f"axios({{method: 'post', url, data: {{model: 'm', messages: {MESSAGES}, stream: true}}}})",
    "axios of a text": f"axios.request({{data: JSON.stringify({{model: 'm', messages: {MESSAGES}, stream: true}})}})",
    "client": f"""
import OpenAI from "openai";
const client = new OpenAI();
async function main() {{
  const stream = await client.chat.completions.create({{
    model: "m",
    messages: {MESSAGES} as const,
    stream: true,
  }});
  for await (const chunk of stream) {{ process.stdout.write(chunk.choices[0]?.delta?.content || ""); }}
}}
main();
""",
    "pushed": """
const messages = [];
messages.push({ role: "user", content: ["Hel", "lo"].join("") });
client.chat.stream({ model: "m", stream: true, messages: [...messages] });
messages.push({ role: "assistant", content: "later" });
""",
    "with types": f"const talk: Message[] = {MESSAGES};\nsend({{model: 'm', stream: true, messages: talk}})",
    "spread": f"const base = {{model: 'm', stream: true}};\nsend({{...base, messages: {MESSAGES}}});",
    "templates": "const who = 'lo'; send({model: `m`, stream: true, messages: [{role: `user`, content: `Hel${who}`}]})",
    "sums": 'send({model: "m", stream: true, messages: [{role: "user", content: "Hel" +\n "lo"}]})',
    "object": f"{{model: 'm', messages: {MESSAGES}, stream: true}}",
    "object with comments": f"""{{
  // the model
  model: 'm', /* what
  is said */ messages: {MESSAGES}, stream: true,
}};""",
    "JSON with a comma too many": f'{{"model": "m", "messages": {MESSAGES}, "stream": true,}}',
    "JSON with comments": f'{{\n  "model": "m", // which\n  "messages": {MESSAGES},\n  "stream": true\n}}',
    "JSON, then words": f"{BODY}\n\nIt doesn't work.",
    "JSON within words": f"I'm sending this:\n\n{BODY}\n\nIt doesn't work, and I don't know why.",
    "HTTP": f"POST http://h/v1/chat/completions HTTP/1.1\nContent-Type: application/json\n\n{BODY}",
    "module": f"module.exports = {{ model: 'm', messages: {MESSAGES}, stream: true }};",
    "fenced": f"It's this:\n```js\nsend({{model: 'm', messages: {MESSAGES}, stream: true}})\n```\n",
    "curl in a comment": f"// as with: curl http://h\nsend({{model: 'm', messages: {MESSAGES}, stream: true}})",
}


@pytest.mark.parametrize("code", CODE.values(), ids=CODE)
def test_code_of_every_shape_is_read(code: str) -> None:
    imported = import_request(code, BEEZY)
    assert imported.request == REQUEST
    assert imported.notes == ()


def test_every_way_to_write_a_value_is_understood() -> None:
    code = r"""send({
  'model': "m", messages: [{role: 'user', content: 'it\'s \u00e9 \u{1F600} \ud83d\ude00 \x41\n\
end'}], stream: !1 ? 0 : 1, stream: true, temperature: .5, top_p: 1e-1, n: 0x10, logit_bias: {50256: -100},
  stop: ["a", 'b', null], seed: +3, user: undefined, "top-k": 1_000, big: 12345678901234567890,
})"""
    imported = import_request(code, OPENAI)
    assert imported.request.messages[0].content == "it's é 😀 😀 A\nend"
    assert imported.request == a_request(
        messages=[{"role": "user", "content": "it's é 😀 😀 A\nend"}], temperature=0.5, top_p=0.1, random_seed=3,
        extra_body={
            "n": 16, "logit_bias": {"50256": -100}, "stop": ["a", "b", None], "top-k": 1000,
            "big": 12345678901234567890,
        },
    )  # fmt: skip
    assert imported.notes == ("user was left out: its value is not written out in the code.",)


def test_a_text_concatenated_from_many_lines_is_read() -> None:
    text = " +\n  ".join(["'a line of a prompt\\n'"] * 200)
    code = f"const text = {text};\nsend({{model: 'm', stream: true, messages: [{{role: 'user', content: text}}]}})"
    assert import_request(code, BEEZY).request.messages[0].content == "a line of a prompt\n" * 200


def test_credentials_are_named_and_left_out() -> None:
    code = f"""
const API_KEY = "{KEY}";
const client = new OpenAI({{ apiKey: '{KEY}', baseURL: 'http://h/{KEY}' }});
fetch("http://h/{KEY}", {{
  headers: {{ "authorization": "Bearer {KEY}", "cookie": 'a={KEY}' }},
  body: JSON.stringify({{ model: 'm', messages: {MESSAGES}, stream: true, api_key: "{KEY}", base_url: '{KEY}' }})
}})"""
    imported = import_request(code, BEEZY)
    assert imported.request == REQUEST
    assert imported.notes == (
        f"Left out: API_KEY, apiKey, authorization, cookie, api_key. {WHERE_KEYS_BELONG}",
        "Left out: base_url. The request goes to the endpoint that is chosen here.",
    )
    assert KEY not in repr(imported)


def test_unknown_values_are_noted() -> None:
    code = f"""
const messages = {MESSAGES};
for (const line of lines) {{ messages.push({{ role: "user", content: line }}); }}
send({{ model: "m", messages, stream: true, temperature: options.temperature, ...more }})
send({{ model: "n", messages: {MESSAGES} }})"""
    imported = import_request(code, BEEZY)
    assert imported.request == REQUEST
    assert imported.notes == (
        "temperature was left out: its value is not written out in the code.",
        "What ... adds was left out: its value is not written out in the code.",
        "What the code adds to a list in a loop was left out.",
        "The code holds several requests; the first one was taken.",
    )


def test_the_first_call_with_messages_is_imported_and_named() -> None:
    code = f"""fetch("http://h/v1/models", {{ "method": "GET", "body": null }}) ;
fetch("http://h/v1/chat/completions", {{ "method": "POST", "body": {json.dumps(BODY)} }}) ;
fetch("http://h/v1/chat/completions", {{ "method": "POST", "body": {json.dumps(BODY)} }}) ;"""
    imported = import_request(code, BEEZY)
    assert imported.request == REQUEST
    assert imported.notes == ("The code holds several calls; number 2, the first with messages, was taken.",)


def test_a_template_keeps_the_names_of_unknown_values() -> None:
    code = "send({model: 'm', stream: true, messages: [{role: 'user', content: `Hello ${user.name}, ${f(1)}`}]})"
    imported = import_request(code, BEEZY)
    assert imported.request.messages[0].content == "Hello {user.name}, {f}"
    assert imported.notes == ("Values that are not written out in the code were kept as their names in braces.",)


@pytest.mark.parametrize(
    "messages", ["history", "load()", "[{role: 'user', content: text}]", "[...history]", "b || c", "x.map(f)", "[f(1)]"]
)
def test_computed_messages_are_refused(messages: str) -> None:
    with pytest.raises(ImportProblem, match="messages is not written out in the code"):
        import_request(f"const a = 1;\nsend({{model: 'm', messages: {messages}}})", BEEZY)


@pytest.mark.parametrize("code", [CODE["stringify"], CODE["client"], CODE["object with comments"]])
def test_code_cut_anywhere_is_refused(code: str) -> None:
    end = code.index("stream: true")
    for length in range(end):
        with pytest.raises(ImportProblem):
            import_request(code[:length], BEEZY)
