"""Python code is read from top to bottom: names have their value at the call, and unknown values are noted."""

from __future__ import annotations

import json

import pytest

from components.contract.credentials import WHERE_KEYS_BELONG
from components.contract.profile import BEEZY
from components.snippets.importing import import_request
from components.snippets.problem import ImportProblem
from tests.contract.test_request import a_request

TALK = [{"role": "user", "content": "Hello"}]
LONGER = [*TALK, {"role": "assistant", "content": "Yes?"}, {"role": "user", "content": "Bye"}]
SEVERAL = "The code holds several requests; the first one was taken."
LOOP = "What the code adds to a list in a loop was left out."
ADDED = "What the code adds to a list without writing it out was left out."
NAMES = "Values that are not written out in the code were kept as their names in braces."
CALL = "client.chat.completions.create(model='m', stream=True, messages=messages)"
BODY = json.dumps({"model": "m", "messages": TALK, "stream": True})

FOLLOWED = {
    "assigned after the call": "messages = TALK\nCALL\nmessages = []",
    "appended after the call": "messages = TALK\nanswer = CALL\nmessages.append(answer.choices[0].message)",
    "reused name": "messages = []\nmessages = TALK\nCALL",
    "a name for a name": "hello = {'role': 'user', 'content': 'Hello'}\nmessages = [hello]\nCALL",
    "annotated": "messages: list[dict] = TALK\nCALL",
    "of a type": "messages = [ChatMessage(role='user', content='Hello')]\nCALL",
    "in a function": """
def ask(question='Hello'):
    messages = [{'role': 'user', 'content': question}]
    return CALL
""",
    "in a function that is called": """
def ask(prompt, model='m', *, stream=False):
    messages = [{'role': 'user', 'content': prompt}]
    return client.create(model=model, messages=messages, stream=stream)

def again(prompt):
    return again(prompt)

again('no end')
print(ask(f'Hello', stream=True))
""",
    "in a method": """
class Chat:
    def ask(self):
        self.talk = TALK
        return create(model='m', stream=True, messages=self.talk)
""",
    "in main": """
async def main():
    messages = TALK
    async with session:
        await CALL

if __name__ == '__main__':
    run(main())
""",
    "in try": "try:\n    messages = TALK\n    CALL\nexcept Error as e:\n    print(e)",
    "f-string": "word = 'Hello'\nmessages = [{'role': 'user', 'content': f'{word}'}]\nCALL",
    "format": """
text = '{}{word}'
messages = [{'role': 'user', 'content': text.format('Hel', word='lo')}]
CALL
""",
    "sum of texts": "messages = [{'role': 'user', 'content': 'Hel' + 'lo'}]\nCALL",
    "sum of lists": "one = TALK\nmessages = [] + one\nCALL",
    "starred": "one = TALK\nmessages = [*one]\nCALL",
    "extended": "messages = []\nmessages += TALK\nCALL",
    "dedent": """
import textwrap
text = textwrap.dedent('''
    Hello
''').strip()
messages = [dict(role='user', content=text)]
CALL
""",
    "joined": "messages = [{'role': 'user', 'content': ''.join(['Hel', 'lo'])}]\nCALL",
    "JSON in a text": """
messages = [{'role': 'user', 'content': json.loads(json.dumps({'a': 'Hello'}))['a']}]
CALL
""",
    "merged": "base = {'model': 'm', 'stream': False}\npost(url, json={**base, 'stream': True, 'messages': TALK})",
    "merged by a sign": "base = {'model': 'm', 'messages': TALK}\npost(json=base | {'stream': True})",
    "dict": "base = dict(model='m', stream=True)\npayload = dict(base, messages=TALK)\nclient.create(**payload)",
    "changed dict": """
payload = {'model': 'm', 'messages': []}
payload['stream'] = True
payload['messages'].append({'role': 'user', 'content': 'Hello'})
requests.post(url, json=payload)
payload['messages'] = []
""",
    "updated dict": """
payload = {'model': 'm'}
payload.update(stream=True, messages=TALK)
requests.post(url, json=payload)
""",
    "dict as JSON": "body = {'model': 'm', 'messages': TALK, 'stream': True}\npost(data=json.dumps(body).encode())",
    "JSON as a text": "payload = '''BODY'''\nrequests.post(url, data=payload)",
    "positional": "payload = {'model': 'm', 'messages': TALK, 'stream': True}\nask('POST', '/', json.dumps(payload))",
    "JSON literals": "payload = {'model': 'm', 'messages': TALK, 'stream': true}",
    "first pass of a loop": """
for word in ['Hello', 'Bye']:
    messages = [{'role': 'user', 'content': word}]
    CALL
""",
}


def filled(code: str) -> str:
    return code.replace("CALL", CALL).replace("TALK", repr(TALK)).replace("BODY", BODY)


@pytest.mark.parametrize("code", FOLLOWED.values(), ids=FOLLOWED)
def test_a_name_has_its_value_at_the_call(code: str) -> None:
    imported = import_request(filled(code), BEEZY)
    assert imported.request == a_request(messages=TALK)
    assert imported.notes == ()


@pytest.mark.parametrize(
    "change",
    [
        f"messages.append({LONGER[1]})\nmessages.append({LONGER[2]})",
        f"messages.extend({LONGER[1:]})",
        f"messages += {LONGER[1:]}",
        f"messages = messages + {LONGER[1:]}",
        f"messages.insert(1, {LONGER[1]})\nmessages.insert(2, {LONGER[2]})",
        f"rest = {LONGER[1:]}\nmessages = [*messages, *rest]",
    ],
)
def test_messages_that_are_added_are_followed(change: str) -> None:
    imported = import_request(f"messages = {TALK}\n{change}\n{CALL}", BEEZY)
    assert imported.request == a_request(messages=LONGER)
    assert imported.notes == ()


@pytest.mark.parametrize(
    ("code", "notes"),
    [
        (
            f"messages = {TALK}\nfor line in lines:\n    messages.append({{'role': 'user', 'content': line}})\n{CALL}",
            (LOOP,),
        ),
        (f"messages = {TALK}\nfor line in lines:\n    messages += [line]\n{CALL}", (LOOP,)),
        (f"messages = {TALK}\nmessages.append(answer.message)\n{CALL}", (ADDED,)),
        (f"messages = {TALK}\nmessages += history\n{CALL}", (ADDED,)),
        (
            f"messages = {TALK}\nwhile True:\n    messages.append({{'role': 'user', 'content': input()}})\n    {CALL}",
            (ADDED,),
        ),
        (f"other = []\nfor x in y:\n    other.append(x)\nmessages = {TALK}\n{CALL}", ()),
        (f"messages = {TALK}\n{CALL}\n{CALL}", (SEVERAL,)),
        (
            f"body = {{'model': 'm', 'messages': {TALK}, 'stream': True}}\nr.post(json=body)\nr.post(json=body)",
            (SEVERAL,),
        ),
        (f"def ask(messages):\n    return {CALL}\nmessages = {TALK}\n{CALL}", (SEVERAL,)),
    ],
)
def test_unknown_values_are_noted(code: str, notes: tuple[str, ...]) -> None:
    imported = import_request(code, BEEZY)
    assert imported.request == a_request(messages=TALK)
    assert imported.notes == notes


def test_an_f_string_keeps_the_names_of_unknown_values() -> None:
    code = """
text = f'To {name}, {a.b}: {x!r} {f(1)}'
messages = [{'role': 'user', 'content': text + 'Bye {0}'.format(z)}]
CALL
"""
    imported = import_request(filled(code), BEEZY)
    assert imported.request.messages[0].content == "To {name}, {a.b}: {x} {…}Bye {0}"
    assert imported.notes == (NAMES,)


@pytest.mark.parametrize(
    "code",
    [
        "messages = [{'role': 'user', 'content': q} for q in questions]",
        "messages = history + [{'role': 'user', 'content': 'x'}]",
        "messages = [{'role': 'user', 'content': '{:>99999999}'.format('x')}]",
        "messages = [{'role': 'user', 'content': '{0.__class__}'.format('x')}]",
        "messages = 'x' * 10 ** 10",
        "for line in lines:\n    messages = [line]",
    ],
)
def test_computed_messages_are_refused(code: str) -> None:
    with pytest.raises(ImportProblem, match="messages is not written out in the code"):
        import_request(f"{code}\n{CALL}", BEEZY)


GROWING = [
    "a = 'x' * 1\n"
    + "a = 'aaaaaaaa'\n"
    + "a = a + a\n" * 100
    + "f(model='m', messages=[{'role': 'user', 'content': a}])",
    "a = ['x']\n" + "a = [a, a]\n" * 100 + "f(model='m', messages=a)",
    "a = ['x']\n" + "a += a\n" * 100 + "f(model='m', messages=a)",
    "a = {'x': 1}\n" + "a = {'b': a, 'c': a}\n" * 100 + "f(model='m', messages=[a])",
    "a = 'x'\n" + "a = f'{a}{a}'\n" * 100 + "f(model='m', messages=a)",
    "a = 'x'\n" + "a = '{0}{0}'.format(a)\n" * 100 + "f(model='m', messages=a)",
    "a = 'x'\n" + "a = a.join([a, a, a])\n" * 100 + "f(model='m', messages=a)",
    "a = []\na.append(a)\nf(model='m', messages=a)",
    "a = {'messages': 1}\na['messages'] = a\nf(json=a)",
]


@pytest.mark.parametrize("code", GROWING)
def test_values_that_grow_without_end_are_refused(code: str) -> None:
    with pytest.raises(ImportProblem):
        import_request(code, BEEZY)


AROUND = {
    "words before and after": "Here's what I don't get:\n\n{code}\n\nIt doesn't work, messages aren't sent.",
    "fenced": "It's this:\n\n```python\n{code}\n```\n\nIsn't it?",
    "fenced without a language": "```\n{code}\n```",
    "cells of a notebook": "!pip install openai\n%load_ext x\n{code}",
    "several fences": "```\npip install openai\n```\n\n```py\n{code}\n```",
    "indented": "    {code}",
    "Windows lines": "{code}",
    "printed below": '{code}\n\nTraceback (most recent call last):\n  File "x.py", line 1\nError: it\'s over',
}


@pytest.mark.parametrize("around", AROUND.values(), ids=AROUND)
def test_text_around_code_is_ignored(around: str) -> None:
    code = f"from openai import OpenAI\nclient = OpenAI()\nmessages = {TALK}\n{CALL}"
    if around.startswith(" "):
        code = code.replace("\n", "\n    ")
    text = around.replace("{code}", code)
    assert import_request(text, BEEZY).request == a_request(messages=TALK)
    assert import_request(text.replace("\n", "\r\n"), BEEZY).request == a_request(messages=TALK)


@pytest.mark.parametrize(
    "text",
    [
        f">>> messages = [\n...     {TALK[0]},\n... ]\n>>> x = 1\n>>> x\n1\n>>> {CALL}\n<it's a stream>",
        f"In [1]: messages = {TALK}\n\nIn [2]: {CALL}\nOut[2]: <it's a stream>",
        f"In [12]: messages = [\n    ...:     {TALK[0]},\n    ...: ]\n    ...: {CALL}",
        f"In [ ]:\nmessages = {TALK}\n{CALL}\n",
    ],
)
def test_interpreter_prompts_are_ignored(text: str) -> None:
    assert import_request(text, BEEZY).request == a_request(messages=TALK)


def test_a_code_fence_in_a_python_string_is_kept() -> None:
    code = f'text = """\n```\nmessages\n```\n"""\nmessages = [{{"role": "user", "content": text}}]\n{CALL}'
    assert import_request(code, BEEZY).request.messages[0].content == "\n```\nmessages\n```\n"


def test_a_prompt_or_notebook_command_in_a_python_string_is_kept() -> None:
    code = f"text = '''\n>>> 1\n% a\n!b\n'''\nmessages = [{{'role': 'user', 'content': text}}]\n{CALL}"
    assert import_request(code, BEEZY).request.messages[0].content == "\n>>> 1\n% a\n!b\n"


def test_a_credential_between_the_values_is_named() -> None:
    code = """
payload = {'model': 'm', 'messages': TALK, 'stream': True, 'api_key': 'canary'}
payload['api_base'] = 'canary'
post(json=payload)
"""
    imported = import_request(filled(code), BEEZY)
    assert "canary" not in repr(imported)
    assert imported.notes[0] == f"Left out: api_key. {WHERE_KEYS_BELONG}"
