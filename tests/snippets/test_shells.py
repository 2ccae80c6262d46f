"""Commands of Windows shells and bash, with here-documents, variables and several commands."""

from __future__ import annotations

import json

import pytest

from components.contract.credentials import WHERE_KEYS_BELONG
from components.contract.profile import BEEZY
from components.snippets.curl_command import ADDRESS_LEFT_OUT, COOKIES_LEFT_OUT, KEY_LEFT_OUT
from components.snippets.importing import import_request
from components.snippets.problem import ImportProblem
from tests.contract.test_request import a_request

TALK = [{"role": "user", "content": "Hello"}]
BODY = json.dumps({"model": "m", "messages": TALK, "stream": True})
REQUEST = a_request(messages=TALK)
URL = "http://127.0.0.1:9/v1/chat/completions"
KEY = "canary-4711"

SLASHED = BODY.replace('"', '\\"')
DOUBLED = BODY.replace('"', '""')
TICKED = BODY.replace('"', '`"')


def careted(text: str) -> str:
    """A text escaped for the command prompt by one browser."""
    escaped = text.replace("\\", "\\\\").replace('"', '\\"')
    return (
        '^"' + "".join("^\n\n" if c == "\n" else c if c.isalnum() or c in " :,." else f"^{c}" for c in escaped) + '^"'
    )


def doubled(text: str) -> str:
    """A text escaped for the command prompt by another browser."""
    for sign, escaped in (("`", "``"), ("$", "`$"), ('"', '""'), ("%", '"%"'), ("\\", "\\\\")):
        text = text.replace(sign, escaped)
    return '"' + text.replace("\n", '"^\n\n"') + '"'


COMMANDS = {
    "cmd": f'curl {URL} ^\n  -H "Content-Type: application/json" ^\n  -d "{SLASHED}"',
    "cmd, Windows lines": f'curl {URL} ^\r\n  -H "Content-Type: application/json" ^\r\n  -d "{SLASHED}"\r\n',
    "cmd, prompt": f'C:\\Users\\me> curl {URL} ^\n -d "{SLASHED}"',
    "cmd, single quotes": f"curl.exe {URL} ^\n  -X POST ^\n  -d '{BODY}'",
    "cmd, single quotes with nothing in double ones": f"curl -H 'x: \"\"' {URL} ^\n  -d '{BODY}'",
    "cmd, doubled quotes": f'curl "{URL}" -H "Content-Type: application/json" --data "{DOUBLED}"',
    "cmd, careted": f'curl ^"{URL}^" ^\n  -H ^"accept: */*^" ^\n  --data-raw {careted(BODY)}',
    "cmd, two commands": f'curl ^"{URL}^" &\ncurl ^"{URL}^" ^\n  --data-raw {careted(BODY)} &\n',
    "backticks": f"curl.exe {URL} `\n  -H \"Content-Type: application/json\" `\n  -d '{BODY}'",
    "backticks, Windows lines": f"curl.exe {URL} `\r\n  -X POST `\r\n  --data-raw '{BODY}'",
    "backticks, escaped for the program": f"curl.exe {URL} `\n  -d '{SLASHED}'",
    "backticks, as for bash": f'curl {URL} `\n  -d "{SLASHED}"',
    "prompt of PowerShell": f"PS C:\\Users\\me> curl.exe {URL} -d '{SLASHED}'",
    "cmd, lines in the body": f"curl {URL} ^\n --data-raw {careted(json.dumps(json.loads(BODY), indent=2))}",
    "cmd, lines in doubled quotes": f"curl {URL} --data-raw {doubled(json.dumps(json.loads(BODY), indent=2))}",
    "Invoke-WebRequest": f'Invoke-WebRequest -UseBasicParsing -Uri "{URL}" `\n-Method "POST" `\n-Body "{TICKED}"',
    "Invoke-RestMethod": f"Invoke-RestMethod -Uri {URL} -Method Post -ContentType 'application/json' -Body '{BODY}'",
    "here-string": f"$body = @'\n{BODY}\n'@\n\nirm {URL} -Method Post -Body $body",
    "here-string in double quotes": f'$body = @"\n{BODY}\n"@\nInvoke-RestMethod -Uri "{URL}" -Body $body',
    "bytes": f"$body = '{BODY}'\nirm {URL} -Body ([System.Text.Encoding]::UTF8.GetBytes($body))",
    "hashtable": f"""
$headers = @{{ "Content-Type" = "application/json" }}
$body = @{{
    model = "m"   # the model
    messages = @(
        @{{ role = "user"; content = "Hello" }}
    )
    stream = $true
}} | ConvertTo-Json -Depth 5
$answer = Invoke-RestMethod -Uri "{URL}" -Method Post -Headers $headers -Body $body
$answer.choices[0].message.content
""",
    "hashtable in a call": f"""irm {URL} -Body (@{{model='m'; stream=$true; messages=@(
        @{{role='user'; content='Hello'}})}} | ConvertTo-Json)""",
    "names in PowerShell": f"""
$question = 'Hello'
$messages = @()
$messages += @{{ role = 'user'; content = "$question" }}
$payload = [ordered]@{{ model = 'm'; messages = $messages; stream = $false }}
$payload.stream = $true
iwr {URL} -Method POST -Body (ConvertTo-Json -Depth 3 $payload)
""",
    "here-document": f"curl -s {URL} \\\n  -d @- <<EOF\n{BODY}\nEOF\n",
    "here-document, quoted": f"curl -s {URL} -d @- <<'JSON' | jq .\n{BODY}\nJSON\necho done",
    "here-document, tabs": f"curl {URL} --json @- <<-EOF\n\t{BODY}\n\tEOF",
    "here-document from cat": f"cat <<'EOF' | curl {URL} --data-binary @-\n{BODY}\nEOF",
    "here-document in a file": f"cat > body.json <<'EOF'\n{BODY}\nEOF\ncurl {URL} -d @body.json",
    "here-document before the file": f"cat <<EOF > body.json\n{BODY}\nEOF\ncurl {URL} --data @body.json",
    "here-document in quotes": f"curl {URL} -d \"$(cat <<'EOF'\n{BODY}\nEOF\n)\" --compressed",
    "here-document in a variable": f'BODY=$(cat <<EOF\n{BODY}\nEOF\n)\ncurl {URL} -d "$BODY"',
    "here-document that is read": f"read -r -d '' BODY <<'EOF'\n{BODY}\nEOF\ncurl {URL} -d \"$BODY\"",
    "cmd, a quote over lines": f'curl {URL} ^\n -d "{SLASHED}"'.replace(", ", ", ^\n   "),
    "echo": f"echo '{BODY}' | curl {URL} -d @-",
    "variable": f"export BODY='{BODY}'\nMODEL=m\ncurl {URL} -d \"$BODY\"",
    "variable in braces": f"BODY='{BODY}'; curl {URL} -d \"${{BODY}}\"",
    "here-string of bash": f"curl {URL} -d @- <<< '{BODY}' | jq .",
    "prompts of bash": f"$ curl {URL} \\\n>  -H 'Accept: */*' \\\n> -d '{BODY}'",
    "prompts of cmd": f'C:\\>curl {URL} ^\nMore? -d "{SLASHED}"',
    "prompts of PowerShell": f"PS> curl.exe {URL} `\n>> -H 'Accept: */*' `\n>> -d '{BODY}'",
    "in brackets": f"(Invoke-WebRequest -Method Post -Body '{BODY}' -Uri {URL}).Content | ConvertFrom-Json",
    "prompt of bash": f"me@host:~$ curl {URL} -d '{BODY}'",
    "notebook": f"!curl {URL} -d '{BODY}'",
    "cell of bash": f"%%bash\ncurl {URL} -d '{BODY}'",
}


@pytest.mark.parametrize("command", COMMANDS.values(), ids=COMMANDS)
def test_a_command_of_any_shell_is_read(command: str) -> None:
    assert import_request(command, BEEZY).request == REQUEST


@pytest.mark.parametrize("content", ['say "no"', "a\nb", "C:\\new\\", "100% ^& <it's> | $x", "é 😀", "`x` {y} !z!"])
def test_any_text_survives_the_copy_commands_of_browsers(content: str) -> None:
    body = json.dumps({"model": "m", "messages": [{"role": "user", "content": content}], "stream": True})
    ticked = body.replace("`", "``").replace('"', '`"').replace("$", "`$")
    quoted = body.replace("\\", "\\\\").replace("'", "\\'").replace("!", "\\u0021")
    for copied in (
        f'curl ^"{URL}^" ^\n  --data-raw {careted(body)}',
        f'curl "{URL}" --data-raw {doubled(body)}',
        f"curl '{URL}' \\\n  --data-raw $'{quoted}'",
        f'Invoke-WebRequest -Uri "{URL}" `\n-Method "POST" `\n-Body "{ticked}"',
        f'fetch("{URL}", {{\n  "body": {json.dumps(body)},\n  "method": "POST"\n}});',
    ):
        assert import_request(copied, BEEZY).request.messages[0].content == content


def test_characters_given_to_powershell_by_number_are_read() -> None:
    body = TICKED.replace("Hello", "$([char]233) $([char]0xD83D)$([char]0xDE00)")
    imported = import_request(f'irm {URL} -Body "{body}"', BEEZY)
    assert imported.request.messages[0].content == "é 😀"


def test_credentials_of_powershell_are_named_and_left_out() -> None:
    command = f"""
$session = New-Object Microsoft.PowerShell.Commands.WebRequestSession
$session.Cookies.Add((New-Object System.Net.Cookie("session", "{KEY}", "/", "host.example")))
Invoke-WebRequest -UseBasicParsing -Uri "https://host.example/{KEY}" `
-WebSession $session `
-Headers @{{
"authorization"="Bearer {KEY}"
  "accept"="*/*"
}} `
-Body "{TICKED}"
"""
    imported = import_request(command, BEEZY)
    assert imported.request == REQUEST
    assert imported.notes == (f"Left out: Cookie, authorization. {WHERE_KEYS_BELONG}",)
    assert KEY not in repr(imported)


def test_credentials_that_powershell_adds_are_named() -> None:
    command = f"$h = @{{}}\n$h.Add('Authorization', 'Bearer {KEY}')\nirm {URL} -Headers $h -Body '{BODY}'"
    assert import_request(command, BEEZY).notes == (f"Left out: Authorization. {WHERE_KEYS_BELONG}",)


def test_credentials_of_curl_in_powershell_are_named() -> None:
    command = f"curl.exe {URL} `\n -H 'Authorization: Bearer {KEY}' `\n -d '{BODY}'"
    assert import_request(command, BEEZY).notes == (f"Left out: Authorization. {WHERE_KEYS_BELONG}",)


def test_credentials_of_cmd_are_left_out() -> None:
    command = f'curl "{URL}" ^\n -H "Authorization: Bearer {KEY}" ^\n -b "a={KEY}" ^\n --data-raw "{DOUBLED}"'
    imported = import_request(command, BEEZY)
    assert imported.notes == (KEY_LEFT_OUT, COOKIES_LEFT_OUT, ADDRESS_LEFT_OUT)
    assert KEY not in repr(imported)


@pytest.mark.parametrize(
    ("text", "number"),
    [
        (f"curl {URL}/models\ncurl -d '{BODY}'", 2),
        (f"curl -d '{{\"input\": \"x\"}}'\n\ncurl -d @file\n\ncurl -d '{BODY}'\ncurl -d '{{}}'", 3),
        (f"curl -d '{BODY}'\ncurl -d '{BODY.replace('Hello', 'Bye')}'", 1),
    ],
)
def test_the_first_command_that_sends_messages_is_imported(text: str, number: int) -> None:
    imported = import_request(text, BEEZY)
    assert imported.request == REQUEST
    assert f"number {number}, the first that sends messages, was taken." in imported.notes[0]


WORDS = {
    "apostrophe before": "Here's the command:\n\ncurl {URL} -d '{BODY}'",
    "apostrophes around": "Here's what I've run:\n\ncurl {URL} -d '{BODY}'\n\nIt doesn't answer.",
    "on the same line": "I don't see why curl {URL} -d '{BODY}' fails",
    "before PowerShell": "Here's what I've run:\n\nInvoke-RestMethod {URL} `\n -Body '{BODY}'",
    "before cmd": "It doesn't work:\n\ncurl {URL} ^\n -d '{BODY}'\n\nDoes it with you?",
    "fenced": "That's how:\n\n```bash\ncurl {URL} -d '{BODY}'\n```\n\nIt's all.",
    "fenced in a list": "1. Don't wait\n   ```sh\n   curl {URL} \\\n     -d '{BODY}'\n   ```\n",
    "fenced, second block": "```\npip install x\n```\nthen\n~~~console\n$ curl {URL} -d '{BODY}'\n~~~",
    "in a line": "I've run `curl {URL} -d '{BODY}'` and don't know why it's slow.",
    "fence not closed": "```bash\ncurl {URL} -d '{BODY}'",
}


def test_the_imported_block_of_code_is_named() -> None:
    imported = import_request(f"```\ncurl {URL}\n```\n\n```\ncurl -d '{BODY}'\n```", BEEZY)
    assert imported.notes == ("The text holds 2 blocks of code; number 2, the first request, was taken.",)


def around(text: str) -> str:
    return text.replace("{URL}", URL).replace("{BODY}", BODY)


@pytest.mark.parametrize("text", WORDS.values(), ids=WORDS)
def test_text_around_a_command_is_ignored(text: str) -> None:
    assert import_request(around(text), BEEZY).request == REQUEST


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("curl -d @- <<EOF\n{BODY}", "here-document of the command is not closed"),
        ('curl -d "$(cat <<EOF\n{BODY}\nEOF\n', "quote in the command is not closed"),
        ("curl -d @- <<EOF\n{}\nEOF", "has no model"),
        ("curl -d \"$BODY\"\nBODY='{BODY}'", "from a variable"),
        ("curl -d @file http://h\n{BODY}", "from a file"),
        ('curl http://h ^\n -d "{""model""', "JSON breaks off or has a mistake"),
        ("irm http://h -Body (@{model='m'; messages=$history} | ConvertTo-Json)", "messages is not written out"),
        ("irm http://h -Body (@{model='m'; messages=@(", "No request was found"),
    ],
)
def test_an_incomplete_command_is_refused_with_a_sentence(text: str, sentence: str) -> None:
    with pytest.raises(ImportProblem, match=sentence):
        import_request(text.replace("{BODY}", BODY), BEEZY)


def test_values_added_in_a_loop_are_noted() -> None:
    command = f"""$messages = @(@{{role='user'; content='Hello'}})
foreach ($line in $lines) {{
    $messages += @{{role='user'; content=$line}}
}}
irm {URL} -Body (@{{model='m'; stream=$true; messages=$messages}} | ConvertTo-Json)"""
    imported = import_request(command, BEEZY)
    assert imported.request == REQUEST
    assert imported.notes == ("What the code adds to a list in a loop was left out.",)
