"""What a model wrote, in Streamlit's own Markdown element without any CSP: nothing is fetched, nothing runs."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest
from playwright.sync_api import Page, Request

from tests.browser.conftest import ROOT, free_port, wait_until_it_answers
from tests.waiting import wait_for

SCRIPT = """
import json
from pathlib import Path
import streamlit as st
from components.ui.model_text import inert_markdown

texts, raw = json.loads(Path(__file__).with_name("texts.json").read_text())
for number, text in enumerate(texts):
    with st.container(key=f"text{number}"):
        st.markdown(inert_markdown(text))
st.markdown(raw)
with st.container(key="end"):
    st.write("end")
"""
# LEAK stands for the address of a server that must never be asked; each text comes with what a reader must see of it.
HOSTILE = [
    ("![alt](LEAK/1)", ["![alt](LEAK/1)"]),
    ('![alt](LEAK/2 "title")', ["![alt](LEAK/2"]),
    ("![alt](<LEAK/3>)", ["![alt](<LEAK/3"]),
    ("![alt][r]\n\n[r]: LEAK/4", ["![alt][r]", "[r]: LEAK/4"]),
    ("![r][]\n\n[r]: LEAK/5", ["![r][]", "[r]: LEAK/5"]),
    ("![r]\n\n[r]:\nLEAK/6", ["![r]", "LEAK/6"]),
    ("[![alt](LEAK/7)](https://e.org)", ["![alt](LEAK/7)"]),
    ("[![alt][r]](https://e.org)\n\n[r]: LEAK/8", ["![alt][r]", "LEAK/8"]),
    ("- item ![alt](LEAK/9)\n  - ![deep](LEAK/9b)", ["![alt](LEAK/9)", "![deep](LEAK/9b)"]),
    ("> ![alt](LEAK/10)", ["![alt](LEAK/10)"]),
    ("| a |\n|---|\n| ![alt](LEAK/11) |", ["![alt](LEAK/11)"]),
    ("# ![alt](LEAK/12)", ["![alt](LEAK/12)"]),
    ("**![alt](LEAK/13)** _![b](LEAK/13b)_", ["![alt](LEAK/13)", "![b](LEAK/13b)"]),
    ("![a\nb](LEAK/14)", ["![a", "b](LEAK/14)"]),
    ("    ![alt](LEAK/15)", ["![alt](LEAK/15)"]),
    ("- ```\n![alt](LEAK/16)\n```\ncode", ["![alt](LEAK/16)"]),
    ("> ```\n![alt](LEAK/17)", ["![alt](LEAK/17)"]),
    ("| `a | ![alt](LEAK/18) ` |\n|---|---|\n| b | c |", ["![alt](LEAK/18)"]),
    ("[a](LEAK/19 '`') ![alt](LEAK/19b) `", ["![alt](LEAK/19b)"]),
    ("LEAK/20` ![alt](LEAK/20b) `", ["![alt](LEAK/20b)"]),
    ("$a<b x='$ ` '> ![alt](LEAK/21) `", ["![alt](LEAK/21)"]),
    ("\\\\![alt](LEAK/22)", ["![alt](LEAK/22)"]),
    ("$$\n![alt](LEAK/23)\n$$", ["![alt](LEAK/23)"]),
    ("x[^1]\n\n[^1]: note\n\n    ![alt](LEAK/24)", ["[^1]: note", "LEAK/24"]),
    ("\ufeff```\n```\n![alt](LEAK/25)", ["![alt](LEAK/25)"]),
    ("<img src=LEAK/26 onerror=\"window.__xss='26'\">", ["<img src=LEAK/26", "window.__xss"]),
    ("text <img src='LEAK/27'> more", ["<img src='LEAK/27'>"]),
    ("<svg onload=\"window.__xss='28'\"><image href='LEAK/28'/></svg>", ["<svg onload=", "LEAK/28"]),
    ("<script>window.__xss='29'; alert(1)</script>", ["<script>window.__xss", "</script>"]),
    ("<style>body{background:url(LEAK/30)}</style>", ["<style>body", "LEAK/30"]),
    ("<!-- hidden words -->", ["<!-- hidden words -->"]),
    ("a <!-- hidden --> b", ["<!-- hidden -->"]),
    ("<a href=\"javascript:window.__xss='32'\">click</a>", ["<a href=", "click</a>"]),
    ("<iframe src='LEAK/33'></iframe>", ["<iframe src='LEAK/33'></iframe>"]),
    ("<details open ontoggle=\"window.__xss='34'\"><summary>s</summary>\n\nword\n\n</details>", ["<summary>", "word"]),
    ("<video poster=LEAK/35 src=LEAK/35b autoplay></video>", ["<video poster=LEAK/35"]),
    ("<link rel=stylesheet href=LEAK/36><meta http-equiv=refresh content='0;url=LEAK/36b'>", ["<link rel", "<meta"]),
    ("<form action=LEAK/37><input autofocus onfocus=\"window.__xss='37'\"></form>", ["<form action=LEAK/37>"]),
    ("<pre>\n```\n</pre>\n![alt](LEAK/38)\n```\n![b](LEAK/38b)", ["<pre>", "![b](LEAK/38b)"]),
    ("<?php echo 1 ?> <!DOCTYPE html> <![CDATA[x]]>", ["<?php echo 1 ?>", "<!DOCTYPE html>", "<![CDATA[x]]>"]),
    ("[x](javascript:window.__xss='40')", ["[x](javascript:window.__xss='40')"]),
    ("[x](JaVa\tscript:alert(1)) [y](data:text/html,a) [z](//e.org)", ["(data:text/html,a)", "[z](//e.org)"]),
    ("[x](/?run=1) [y](#top) [z](vbscript:a)", ["[x](/?run=1)", "[y](#top)", "[z](vbscript:a)"]),
    ("<javascript:alert(1)>", ["<javascript:alert(1)>"]),
    (":red[x] :small[y] :blue-background[z] :blue-badge[w]", [":red[x] :small[y] :blue-background[z]"]),
    (":img[x]{src=LEAK/46} ::img{src=LEAK/46b}", [":img[x]{src=LEAK/46}", "::img{src=LEAK/46b}"]),
    (":::red\ninside\n:::", [":::red", "inside"]),
    (":color[x]{foreground='url(LEAK/48)'}", [":color[x]{foreground="]),
    (":material/home: :streamlit: :smile: :+1: :help[x] :shimmer[y]", [":material/home: :streamlit: :smile: :+1:"]),
    ("a -> b <- c -- d >= e <= f ~= g <-> h", ["a -> b <- c -- d >= e <= f ~= g <-> h"]),
    ("**x** -> *y* at 12:30 for $5 and $10", ["-> y at 12:30 for $5 and $10"]),
    ("```mermaid\nflowchart TD\nA@{ img: 'LEAK/52', label: 'x', w: 60, h: 60 }\n```", ["LEAK/52"]),
    ("~~~ &#77;ermaid\nflowchart TD\nA@{ img: 'LEAK/53', label: 'x' }\n~~~", ["LEAK/53"]),
    ("$\\includegraphics{LEAK/54}$ and $\\href{javascript:alert(1)}{x}$", ["includegraphics"]),
    ("$\\url{javascript:alert(1)}\\htmlStyle{background:url(LEAK/55)}{x}$", ["url"]),
    ("$\\htmlData{a=b}{x} \\htmlId{stApp}{y} \\htmlClass{c}{z}$", ["html"]),
]  # fmt: skip
GROWING = [
    "a [![alt *x*](LEAK/g1)](https://e.org) `![c](LEAK/g2)` <img src=LEAK/g3>\n```\n![x](LEAK/g4)\n```\n![y](LEAK/g5)",
    "1. ```md\n   ![x](LEAK/h1)\n   ```\n   ![y][r] $a$\n\n[r]: LEAK/h2",
]
CODE = '![x](y) :red[x] <b> $5 a -> b :smile: \\(x\\) -- &amp; "q"\n\n  :blue[y] `t`'
GOOD = f"""# Heading :-)

- one
- **two** and *three*

| a | b |
| -- | :-: |
| `![x](y) :red[x]` | 2 |

1. Step

   ```md
   ![in](list) :red[x]
   ```

[a link](https://e.org/a_(b)), $x^2$, \\(y^2\\)

\\[
z^2 < 1
\\]

```python
{CODE}
```
"""


@pytest.fixture(scope="module")
def leak() -> Iterator[tuple[str, list[str]]]:
    """A server's address, and the paths that it was asked for."""
    asked: list[str] = []

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            asked.append(self.path)
            self.send_response(404)
            self.end_headers()

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}", asked
    server.shutdown()
    thread.join()
    server.server_close()


@pytest.fixture(scope="module")
def texts(leak: tuple[str, list[str]]) -> list[str]:
    growing = [text[:end] for text in GROWING for end in range(1, len(text))]
    return [text.replace("LEAK", leak[0]) for text in [*(text for text, _ in HOSTILE), GOOD, *growing]]


@pytest.fixture(scope="module")
def shown_at(texts: list[str], leak: tuple[str, list[str]], tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The address of a page with all the texts, and one image that is not made inert."""
    folder = tmp_path_factory.mktemp("texts")
    (folder / "texts.json").write_text(json.dumps([texts, f"![control]({leak[0]}/control)"]))
    (folder / "show.py").write_text(SCRIPT)
    port = free_port()
    options = {"server.port": str(port), "server.headless": "true", "browser.gatherUsageStats": "false"}
    arguments = [part for name, value in options.items() for part in (f"--{name}", value)]
    with (
        open(folder / "log", "w") as log,
        subprocess.Popen(
            [sys.executable, "-m", "streamlit", "run", str(folder / "show.py"), *arguments],
            cwd=folder,
            env={**os.environ, "PYTHONPATH": str(ROOT)},
            stdout=log,
            stderr=log,
        ) as process,
    ):
        try:
            wait_until_it_answers(f"http://127.0.0.1:{port}/_stcore/health", folder / "log")
            yield f"http://127.0.0.1:{port}"
        finally:
            process.terminate()


def test_hostile_text_is_seen_and_does_nothing_and_good_text_is_drawn(
    page: Page, shown_at: str, leak: tuple[str, list[str]]
) -> None:
    address, asked = leak
    requested: list[str] = []
    dialogs: list[str] = []

    def note(request: Request) -> None:
        if not request.url.startswith((shown_at, shown_at.replace("http", "ws", 1), "data:", "blob:")):
            requested.append(request.url)

    page.on("request", note)
    page.on("dialog", lambda dialog: (dialogs.append(dialog.message), dialog.dismiss()))
    page.goto(shown_at)
    page.wait_for_selector(".st-key-end")
    good = page.locator(f".st-key-text{len(HOSTILE)}")
    good.locator(".katex-display").wait_for()
    good.locator("[data-testid=stCode]").nth(1).wait_for()
    page.wait_for_load_state("networkidle")

    def unseen() -> list[tuple[str, str, str]]:
        seen = page.evaluate(
            "n => [...Array(n).keys()].map(i => document.querySelector(`.st-key-text${i}`).innerText)", len(HOSTILE)
        )
        return [
            (text, part, shown)
            for (text, parts), shown in zip(HOSTILE, seen, strict=True)
            for part in parts
            if part.replace("LEAK", address) not in shown.replace("\u2060", "")
        ]

    # A code block is blank until the browser has loaded what draws it, which on a busy machine takes its time.
    with suppress(AssertionError):
        wait_for(lambda: not unseen())
    assert unseen() == []
    # The control shows that an image would have been fetched, and noticed.
    assert set(asked) == {"/control"}
    assert set(requested) == {f"{address}/control"}
    assert page.evaluate("window.__xss") is None
    assert not dialogs
    texts = page.locator("[class*=st-key-text]")
    assert (
        texts.locator("img, svg image, iframe, script, style, form, video, details, [onload], [onerror]").count() == 0
    )
    links = texts.locator("[data-testid=stMarkdownContainer] a").evaluate_all(
        "all => all.map(a => a.getAttribute('href'))"
    )
    assert [link for link in links if not link.startswith(("http://", "https://", "mailto:", "#"))] == []

    assert good.locator("h1").inner_text() == "Heading :-)"
    assert good.locator("ul > li").all_inner_texts() == ["one", "two and three"]
    assert good.locator("strong").inner_text() == "two"
    assert good.locator("td").all_inner_texts() == ["![x](y) :red[x]", "2"]
    assert good.locator("td code").text_content() == "![x](y) :red[x]"
    assert good.locator("a[href='https://e.org/a_(b)']").inner_text() == "a link"
    assert good.locator(".katex").count() == 3
    blocks = good.locator("[data-testid=stCode] code")
    assert [block.text_content() for block in blocks.all()] == ["![in](list) :red[x]", CODE]
