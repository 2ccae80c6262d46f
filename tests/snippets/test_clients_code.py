"""Code from the documentation of clients: LangChain, Azure, Vercel's AI SDK, prompts and system texts."""

from __future__ import annotations

import json

import pytest

from components.contract.profile import BEEZY
from components.contract.request import to_bytes
from components.snippets.importing import Imported, import_request

HI = [{"role": "user", "content": "Hi"}]
BRIEF = [{"role": "system", "content": "Be brief."}, *HI]
BODY = json.dumps({"model": "m", "messages": HI})


def imported(text: str) -> Imported:
    found = import_request(text, BEEZY)
    assert "canary" not in to_bytes(found.request, BEEZY).decode()
    return found


def messages(text: str) -> object:
    return json.loads(to_bytes(imported(text).request, BEEZY))["messages"]


@pytest.mark.parametrize(
    "text",
    [
        "ChatCompletionsClient(endpoint='http://canary').complete(model='m', messages=["
        "SystemMessage('Be brief.'), UserMessage(content='Hi')])",
        "llm = ChatOpenAI(model_name='m', api_key='canary')\n"
        "llm.invoke([SystemMessage('Be brief.'), HumanMessage('Hi')])",
        "llm = AzureChatOpenAI(azure_deployment='m', api_version='canary')\n"
        "llm.invoke([('system', 'Be brief.'), ('human', 'Hi')])",
        "for chunk in ChatOllama(model='m').stream([('system', 'Be brief.'), ('user', 'Hi')]):\n    print(chunk)",
        "for chunk in create(model='m', messages=[SystemMessage('Be brief.'), UserMessage('Hi')]):\n    pass",
        "client.messages.create(model='m', system='Be brief.', messages=[{'role': 'user', 'content': 'Hi'}])",
        "client.responses.create(model='m', instructions='Be brief.', input='Hi')",
        "const { text } = await generateText({ model: openai('m'), system: 'Be brief.', prompt: 'Hi' });",
        "streamText({ model: openai.chat('m'), system: `Be brief.`, messages: [{ role: 'user', content: 'Hi' }] })",
        '{"model": "m", "system": [{"type": "text", "text": "Be brief."}], '
        '"messages": [{"role": "user", "content": "Hi"}]}',
        '{"model": "m", "instructions": "Be brief.", "input": [{"role": "user", "content": [{"type": "input_text", '
        '"text": "Hi"}]}]}',
    ],
)
def test_messages_are_found_in_calls_of_all_clients(text: str) -> None:
    assert messages(text) == BRIEF


@pytest.mark.parametrize("text", ["llm = ChatOpenAI(model='m')\nllm.invoke('Hi')", '{"model": "m", "prompt": "Hi"}'])
def test_a_prompt_becomes_a_message_of_the_user(text: str) -> None:
    assert messages(text) == HI


def test_texts_turned_into_messages_are_noted() -> None:
    notes = imported('{"model": "m", "system": "Be brief.", "prompt": "Hi", "stream": true}').notes
    assert notes == ("prompt became the messages.", "system became the first message.")


@pytest.mark.parametrize(
    "call",
    ["client.images.generate(model='m', prompt='a cat')", "client.embeddings.create(model='m', input='Hi')"],
)
def test_calls_of_other_apis_are_skipped(call: str) -> None:
    assert messages(f"{call}\nclient.create(model='m', messages={HI})") == HI


def test_a_body_passed_through_several_calls_is_one_request() -> None:
    code = (
        f"data = json.dumps({BODY}).encode()\nurlopen(Request(url, data=data, headers={{'Authorization': 'canary'}}))"
    )
    assert not any("several" in note for note in imported(code).notes)


@pytest.mark.parametrize("name", ["api_version", "organization", "aws_region_name", "vertex_project", "api_type"])
def test_addresses_and_accounts_are_left_out(name: str) -> None:
    found = imported(f"completion(model='m', stream=True, messages={HI}, {name}='canary', num_retries=3)")
    assert found.notes == (f"Left out: {name}. The request goes to the endpoint that is chosen here.",)


@pytest.mark.parametrize(
    "text",
    [
        json.dumps({"item": [{"name": "a", "request": {"header": [], "body": {"mode": "raw", "raw": BODY}}}]}),
        f"echo '{BODY}' > body.json\ncurl http://h -d @body.json",
        f"tee body.json <<EOF\n{BODY}\nEOF\ncurl http://h -d @body.json",
        f"jq -n '{BODY}' | curl http://h -d @-",
        '$b = @{ model="m"; messages=,@{role="user";content="Hi"} }\niwr http://h -Body ($b | ConvertTo-Json)',
        "const MODEL = process.env.M ?? 'm';\ncreate({ model: MODEL, messages: [{ role: 'user', content: 'Hi' }] })",
        f"model = os.environ.get('MODEL', 'm')\ncreate(model=model or 'n', messages={HI})",
        f"    model='m',\n    messages={HI},\n)",
        "MODEL=m\ncurl http://h -d @- <<EOF\n" + BODY.replace('"m"', '"$MODEL"') + "\nEOF",
        "curl http://h -d ‘" + BODY.replace('"', "”") + "’",
    ],
    ids=[
        *("collection of Postman", "echo to a file", "tee", "jq", "one item", "a default", "default of a variable"),
        *("arguments alone",),
        "a variable in a here-document",
        "curly quotes",
    ],
)
def test_a_request_is_found_in_surrounding_text(text: str) -> None:
    assert json.loads(to_bytes(imported(text).request, BEEZY))["model"] == "m"
    assert messages(text) == HI


@pytest.mark.parametrize(
    "extra",
    [
        {"url": "http://canary"},
        {"proxies": {"http": "http://canary"}},
        {"config_list": [{"api_key": "canary", "base_url": "http://canary"}]},
        {"provider": {"headers": {"X-Own": "canary"}, "baseURL": "http://canary"}},
        {"extra_body": {"webhook_url": "http://canary"}},
    ],
)
def test_addresses_and_headers_are_left_out_at_any_depth(extra: dict[str, object]) -> None:
    for text in (json.dumps({"model": "m", "messages": HI, **extra}), f"create(model='m', messages={HI}, **{extra})"):
        assert any(note.startswith("Left out: ") for note in imported(text).notes)


def test_the_credentials_option_of_fetch_is_not_a_secret() -> None:
    text = f"fetch('http://h', {{credentials: 'include', method: 'POST', body: {json.dumps(BODY)}}})"
    assert not any("Left out" in note for note in imported(text).notes)
