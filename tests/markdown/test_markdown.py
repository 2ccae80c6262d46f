from __future__ import annotations

import random
import re
import subprocess
import sys
import time
from html.parser import HTMLParser
from pathlib import Path

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from components.markdown import blocks as markdown_blocks
from components.markdown import sanitizer
from components.markdown.blocks import MarkdownBlocks

ANSWERS = sorted((Path(__file__).parent / "answers").glob("*.md"))
COPY = '<button type="button" class="copy" aria-label="Copy code">Copy</button>'
OPENS = 'target="_blank" rel="noopener noreferrer nofollow"'
# fmt: off
PARTS = [
    "word", "a", " ", "  ", "    ", "\t", "\n", "\n\n", "\r\n", "\r", "1. ", "2. ", "10) ", "- ", "* ", "+ ", "> ", ">",
    "```", "```python\n", "````\n", "~~~", "# ", "## ", "---\n", "===\n", "***", "**", "*", "_", "__", "~~", "`", "``",
    "|", "|a|b|\n", "|-|-|\n", "a|b\n", "-|:-\n", "$", "$$", "$$\n", "\\(", "\\)", "\\[", "\\]\n", "\\begin{x}", "x^2",
    "[", "](", ")", "![", "[r]", "[r]: http://e.org\n", "[^1]: note\n", "<b>", "<!--", "-->", "<div>\n", "</div>",
    "<http://e.org>", "https://e.org/a_b", "www.e.org", "me@e.org", "&lt;", "&#106;", "\\", "\\$", "- [ ] ", "- [x] ",
    ":red[x]", "!", "é", "汉", "😀", "\x01", "\u2028", "\ufeff", "5", "javascript:alert(1)",
]
# fmt: on
TEXTS = st.lists(st.sampled_from(PARTS), max_size=30).map("".join)
CUTS = st.lists(st.integers(0, 200), max_size=8)


def drawn(text: str) -> list[str]:
    view = MarkdownBlocks()
    view.update(text, ended=True)
    assert view.settled == len(view.blocks)
    return view.blocks


def page(text: str) -> str:
    return "".join(drawn(text)).strip()


def read(html: str) -> str:
    """The visible text of HTML."""
    parser = _Reader()
    parser.feed(html)
    parser.close()
    return "".join(parser.text)


class _Reader(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.text: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))

    def handle_data(self, data: str) -> None:
        self.text.append(data)

    def handle_comment(self, data: str) -> None:
        raise AssertionError(f"a comment: {data}")

    def handle_decl(self, decl: str) -> None:
        raise AssertionError(f"a declaration: {decl}")

    def handle_pi(self, data: str) -> None:
        raise AssertionError(f"an instruction: {data}")


# --- Markdown to HTML


@pytest.mark.parametrize(
    ("text", "html"),
    [
        ("plain", "<p>plain</p>"),
        ("**a** *b* ~~c~~ `d`", "<p><strong>a</strong> <em>b</em> <s>c</s> <code>d</code></p>"),
        ("one\nline", "<p>one\nline</p>"),
        ("two  \nlines", "<p>two<br>\nlines</p>"),
        ("## Title", "<h2>Title</h2>"),
        ("3. c\n4. d", '<ol start="3">\n<li>c</li>\n<li>d</li>\n</ol>'),
        ("- [ ] a\n- [x] b", '<ul>\n<li class="task">☐ a</li>\n<li class="task">☑ b</li>\n</ul>'),
        ("- [ ] a\n\n- b", '<ul>\n<li class="task"><p>☐ a</p>\n</li>\n<li><p>b</p>\n</li>\n</ul>'),
        ("- [x] \n- [ ] # a", '<ul>\n<li class="task">☑ </li>\n<li class="task">☐ <h1>a</h1>\n</li>\n</ul>'),
        ("a\n\n---", "<p>a</p>\n<hr>"),
        ("> q", "<blockquote>\n<p>q</p>\n</blockquote>"),
        ("    x < y", f'<div class="code">{COPY}<pre><code>x &lt; y</code></pre></div>'),
        ("~~~unheard-of\nx\n~~~", f'<div class="code">{COPY}<pre><code>x</code></pre></div>'),
        ("```\n\nx\n\n```", f'<div class="code">{COPY}<pre><code>\nx\n</code></pre></div>'),
        ('"quotes" -- (c) ...', '<p>"quotes" -- (c) ...</p>'),
    ],
)
def test_markdown_becomes_html(text: str, html: str) -> None:
    assert page(text) == html


def test_a_table_has_its_alignment() -> None:
    html = page("| a | b | c |\n|:--|:-:|--:|\n| 1 | 2 | `x\\|y` |")
    assert html.startswith('<div class="table"><table>')
    assert html.endswith("</table></div>")
    assert '<th class="left">a</th>\n<th class="center">b</th>\n<th class="right">c</th>' in html
    assert '<td class="right"><code>x|y</code></td>' in html


@pytest.mark.parametrize(
    ("text", "link"),
    [
        ('[a](https://e.org/x "t")', f'<a href="https://e.org/x" title="t" {OPENS}>a</a>'),
        ("<https://e.org/?a=1&b=2>", f'<a href="https://e.org/?a=1&amp;b=2" {OPENS}>https://e.org/?a=1&amp;b=2</a>'),
        ("<me@e.org>", f'<a href="mailto:me@e.org" {OPENS}>me@e.org</a>'),
        ("(https://e.org/a_b_(c)).", f'(<a href="https://e.org/a_b_(c)" {OPENS}>https://e.org/a_b_(c)</a>).'),
        ("**https://e.org**", f'<strong><a href="https://e.org" {OPENS}>https://e.org</a></strong>'),
        ("见https://e.org/a，然后", f'见<a href="https://e.org/a" {OPENS}>https://e.org/a</a>，然后'),
        ("www.e.org/a.", f'<a href="http://www.e.org/a" {OPENS}>www.e.org/a</a>.'),
        ("write to me.too@e.org.", f'write to <a href="mailto:me.too@e.org" {OPENS}>me.too@e.org</a>.'),
        ("[a https://e.org](http://f.org)", f'<a href="http://f.org" {OPENS}>a https://e.org</a>'),
    ],
)
def test_web_and_mail_links_work(text: str, link: str) -> None:
    assert page(text) == f"<p>{link}</p>"


@pytest.mark.parametrize(
    "text",
    [
        "[x](javascript:alert(1))", "[x](JaVaScRiPt:alert(1))", "[x](data:text/html,a)", "[x](vbscript:a)", "[x][r]",
        "[x](//e.org)", "[x](/?run=1)", "[x](#top)", "[x](file:///etc/passwd)", "<javascript:alert(1)>", "[x]()", "[x]",
        "e.org", "xmpp:a@b", "http://", "https://)", "www.", "a@b", "[^1]", "ftp://e.org/a",
    ],
)  # fmt: skip
def test_links_with_other_schemes_stay_text(text: str) -> None:
    assert "<a" not in page(text)
    assert read(page(text)) == text


@pytest.mark.parametrize(
    "text",
    [
        "![alt](x.png)", "![alt][r]", "![]()", "![a](data:image/png;base64,AA)", "<img src=x>", "a <b>c</b> d",
        "<!-- hidden -->", "<script>alert(1)</script>", ":red[x] :smile: :material/home: a -> b",
        "[r]: javascript:alert(1)", "[^1]: a note", "&amp;lt;",
    ],
)  # fmt: skip
def test_unsupported_markup_stays_as_written(text: str) -> None:
    assert read(page(text)) == text.replace("&amp;", "&")


def test_an_image_becomes_its_text_and_address() -> None:
    address = f'<a href="https://e.org/i.png" {OPENS}>https://e.org/i.png</a>'
    assert page('![alt *x*](https://e.org/i.png "t")') == f'<p>![alt <em>x</em>]({address} "t")</p>'
    linked = page("[![alt](https://e.org/i.png)](https://e.org)")
    assert linked == f'<p><a href="https://e.org" {OPENS}>![alt](https://e.org/i.png)</a></p>'


# --- Code


def test_code_is_highlighted_once_it_is_settled() -> None:
    view = MarkdownBlocks()
    view.update("```python\nif a < 1:\n    pass")
    assert view.blocks == [f'<div class="code">{COPY}<pre><code>if a &lt; 1:\n    pass</code></pre></div>\n']
    view.update("```python\nif a < 1:\n    pass\n```\n")
    assert (view.settled, view.blocks[0].count("<span")) == (0, 0)
    view.update("```python\nif a < 1:\n    pass\n```\n\nThen")
    assert view.settled == 0
    view.update("```python\nif a < 1:\n    pass\n```\n\nThen\n")
    assert view.settled == 1
    assert '<span class="k">if</span>' in view.blocks[0]
    assert read(view.blocks[0]).removeprefix("Copy").strip() == "if a < 1:\n    pass"


@pytest.mark.parametrize("code", ["é" * 20_000, "a\n" * 10_000, "<" * 900, "x" * 40_000], ids=lambda code: code[:2])
@pytest.mark.parametrize("language", ["console", "ini", "csharp", "c", "gherkin"])
def test_code_that_would_take_long_to_highlight_stays_plain(code: str, language: str) -> None:
    started = time.thread_time()
    assert read(page(f"```{language}\n{code}\n```")) == f"Copy{code}"
    assert time.thread_time() - started < 2


def test_only_the_beginning_of_very_long_code_is_highlighted() -> None:
    code = "if a:\n    b\n" * 5_000
    html = page(f"```python\n{code}```")
    assert read(html).removeprefix("Copy") == code.removesuffix("\n")
    assert 1_000 < html.count('<span class="k">if</span>') < 2_000


def test_languages_with_slow_lexers_stay_plain() -> None:
    for language in ("css+genshitext", "html+php", "markdown", "rst", "http"):
        assert "<span" not in page(f"```{language}\n# a: b\n```")


@pytest.mark.parametrize("info", ["python", " Python", "PYTHON title='a'", "python,linenos", "py"])
def test_the_language_is_the_first_word_of_the_fence(info: str) -> None:
    assert '<span class="k">' in page(f"```{info}\nif a:\n    b\n```")


@given(st.text("ab \n\t\"'#/*\\<&{}()=é\x01", max_size=60), st.sampled_from(["python", "c", "html", "json", "console"]))
def test_highlighting_changes_no_character(code: str, language: str) -> None:
    html = page(f"~~~{language}\n{code}\n~~~")
    assert read(html).removeprefix("Copy") == code


# --- Formulas


@pytest.mark.parametrize(
    "text", ["$x^2$", r"\(x^2\)", "$$x^2$$", "$$\nx^2\n$$", r"\[x^2\]", "\\[\nx^2\n\\]", "so\n$$\nx^2\n$$\nis"]
)
def test_a_formula_becomes_mathml(text: str) -> None:
    html = page(text)
    assert "<msup><mi>x</mi><mn>2</mn></msup>" in html
    # As in Streamlit: only a formula on its own lines is a block.
    assert ('display="block"' in html) == text.startswith(("$$", "\\[", "so"))


@pytest.mark.parametrize(
    "text",
    [
        "$5 and $10", "$5-$10", "a 20$ note and 30$ more", "$10, and later another 20$ note", "US$5 or US$6", "$ x $",
        r"\$x\$", "`$x$`", "$x", "$$ x", "$a\n\nb$", r"\(x", "$$\na\n\nb\n$$", "$", "$$", "$$$$", "\\[\nx",
    ],
)  # fmt: skip
def test_other_dollar_signs_stay_text(text: str) -> None:
    assert "<math" not in page(text)


@pytest.mark.parametrize(
    "source",
    [
        r"\def\a{\a\a}\a", r"\newcommand{\x}{y}\x", r"\href{javascript:alert(1)}{x}", r"\class{copy}{x}",
        r"\style{position:fixed}{x}", r"\frac{a", r"\unheardof{x}", "a & b", "{" * 30 + "x" + "}" * 30, "x" * 3_000,
        r"\raise{99em}{x}", r"\hspace{1000em}", r"\rule{100em}{100em}", "x^1^2", r"\left(x",
    ],
)  # fmt: skip
def test_an_unknown_formula_is_shown_as_its_source(source: str) -> None:
    assert "<math" not in page(f"${source}$")
    assert read(page(f"${source}$")) == f"${source}$"
    assert source in read(page(f"$$\n{source}\n$$"))


@pytest.mark.parametrize(
    "source",
    [
        r"\begin{aligned} a &= b \\ c &= d \end{aligned}", r"\begin{bmatrix} 1 & 2 \end{bmatrix}^T", r"\sum_{i=1}^n i",
        r"f(x) = \begin{cases} 1 & x > 0 \\ 0 & \text{else} \end{cases}", r"\operatorname{Var}(X)", r"a \\ b",
        r"\hat{\theta} \in \mathbb{R}^n", r"\int_0^\infty e^{-x}\,dx = 1 \tag{1}", r"\boxed{E = mc^2}", r"\sqrt[3]{x}",
        r"\langle x, y \rangle \implies \lVert x \rVert", r"\underbrace{a+b}_{n}", r"\lim_{x \to 0} f'(x)",
        r"5\,\text{m}",
    ],
)  # fmt: skip
def test_usual_formulas_are_understood(source: str) -> None:
    html = page(f"$$\n{source}\n$$")
    assert "<math" in html
    assert not re.search(r"\\|&amp;", html)


def test_a_long_inline_formula_can_scroll() -> None:
    assert '<span class="formula"><math' in page("$x$")
    assert '<span class="formula wide"><math' in page(f"${'x + ' * 20}y$")


def test_operator_limits_are_below_and_names_are_spaced() -> None:
    assert "<munder>" in page(r"$$\lim_{x \to 0} x$$")
    assert "<munderover>" in page(r"$\sum_{i=1}^n i$")
    assert '<mo form="prefix" lspace="0em" rspace="0.167em">sin</mo>' in page(r"$\sin x$")


@given(st.lists(st.sampled_from([*r"\{}^_&'$%#~[]()<>|a1.", r"\left(", r"\right)", r"\frac", r"\sqrt", r"\text{", r"\\",
    r"\begin{array}{c}", r"\end{array}", r"\mbox{", r"\color{red}", r"\over", r"\not", r"\unicode{x41}", r"\verb|"]),
    max_size=20).map("".join))  # fmt: skip
def test_any_formula_is_rendered(source: str) -> None:
    check(page(f"$$\n{source}\n$$\n\n\\({source}\\)"))


# --- Settled blocks


def test_a_block_is_settled_when_the_next_one_begins() -> None:
    view = MarkdownBlocks()
    for text, settled, blocks in [
        ("", 0, 0),
        ("On", 0, 1),
        ("One.\n", 0, 1),
        ("One.\n\nTw", 1, 2),
        ("One.\n\nTwo\n", 1, 2),
        ("One.\n\nTwo\n\n1. a\n\n2", 2, 4),
        ("One.\n\nTwo\n\n1. a\n\n2. b", 2, 3),
        ("One.\n\nTwo\n\n1. a\n\n2. b\n", 2, 3),
        ("One.\n\nTwo\n\n1. a\n\n2. b\n\n---\n", 3, 4),
    ]:
        view.update(text)
        assert (view.settled, len(view.blocks)) == (settled, blocks), text
    view.update("One.\n\nTwo\n\n1. a\n\n2. b\n\n---\n", ended=True)
    assert view.settled == len(view.blocks) == 4


def test_blocks_after_an_open_formula_are_not_settled() -> None:
    view = MarkdownBlocks()
    view.update("One.\n\n$$\nx\n# y\nz\n")
    assert (view.settled, len(view.blocks)) == (1, 4)
    view.update("One.\n\n$$\nx\n# y\nz\n$$")
    assert (view.settled, len(view.blocks)) == (1, 2)
    view = MarkdownBlocks()
    view.update("One.\n\n$$\nx\n# y\nz\n\nw\n")
    assert view.settled == 4


def test_a_carriage_return_waits_for_its_line_feed() -> None:
    view = MarkdownBlocks()
    view.update("a\r")
    view.update("a\r\n")
    view.update("a\r\nb\r")
    view.update("a\r\nb\r", ended=True)
    assert view.blocks == ["<p>a\nb</p>\n"]


@given(TEXTS, CUTS)
@example("$$\n# \n\n", [4])
def test_the_result_does_not_depend_on_the_chunks(text: str, cuts: list[int]) -> None:
    whole = drawn(text)
    view = MarkdownBlocks()
    before: list[str] = []
    for cut in sorted(min(cut, len(text)) for cut in cuts):
        view.update(text[:cut])
        assert view.blocks[: len(before)] == before
        at_once = MarkdownBlocks()
        at_once.update(text[:cut])
        assert (view.blocks, view.settled) == (at_once.blocks, at_once.settled)
        before = view.blocks[: view.settled]
        assert whole[: len(before)] == before
    view.update(text, ended=True)
    assert view.blocks == whole


@pytest.mark.parametrize("path", ANSWERS, ids=lambda path: path.stem)
def test_an_answer_cut_anywhere_ends_the_same(path: Path) -> None:
    text = path.read_text()
    whole = drawn(text)
    rng = random.Random(path.stem)
    for _ in range(5):
        view = MarkdownBlocks()
        for cut in sorted(rng.sample(range(len(text)), min(20, len(text)))):
            view.update(text[:cut])
            assert view.blocks[: view.settled] == whole[: view.settled]
        view.update(text, ended=True)
        assert view.blocks == whole


@given(TEXTS)
def test_joined_blocks_equal_the_text_drawn_at_once(text: str) -> None:
    text = re.sub("\r\n?", "\n", text)
    reading = markdown_blocks._read(text)
    assert "".join(block.source for block in reading.blocks).strip() == text.strip()
    tokens = [token for block in reading.blocks for token in block.tokens]
    if reading.blocks:
        in_one_go = markdown_blocks._draw(markdown_blocks._Block(0, text, tokens), final=True)
        assert sanitizer.sanitized("".join(drawn(text))) == in_one_go


@given(st.lists(st.sampled_from([part for part in PARTS if not part.startswith(("`", "~~~"))]), max_size=15))
def test_no_word_is_lost(parts: list[str]) -> None:
    words = [f"word{number}" for number in range(len(parts) + 1)]
    text = words[0] + "".join(f"{part}{word}" for part, word in zip(parts, words[1:], strict=True))
    seen = page(text)
    assert [
        word for word in words if word not in seen and f"{word[:-1]}</mi>" not in seen and "<math" not in seen
    ] == []


# --- The sanitizer

SAFE_TAGS = {*sanitizer.HTML, *sanitizer.BARE_HTML, *sanitizer.MATHML}
CODE_CLASSES = re.compile(r"[a-z][a-z0-9]{0,2}")
PLAIN_ATTRIBUTES = {"dir", "target", "rel", "title", "start", "type", "aria-label"}
CLASSES = {"code", "copy", "formula", "formula wide", "table", "task", "left", "center", "right"}


def check(html: str) -> None:
    """Check that the HTML has only allowed tags and attributes, so that sanitizing changes nothing."""
    reader = _Reader()
    reader.feed(html)
    reader.close()
    for tag, attributes in reader.tags:
        assert tag in SAFE_TAGS, tag
        for name, value in attributes.items():
            value = value or ""
            if name == "href":
                assert re.match(r"(https?://|mailto:)", value, re.IGNORECASE), value
            elif name == "class":
                assert value in CLASSES or CODE_CLASSES.fullmatch(value), value
            else:
                assert name in sanitizer.MATHML.get(tag, PLAIN_ATTRIBUTES), name
    assert sanitizer.sanitized(html) == html


# fmt: off
HOSTILE = [
    "<script>alert(1)</script>", "<SCRIPT SRC=//e.org/x.js></SCRIPT>", "<scr<script>ipt>alert(1)</scr</script>ipt>",
    "<img src=x onerror=alert(1)>", '<img src="x" onerror="alert(1)"', "<svg onload=alert(1)>", "<svg/onload=alert(1)>",
    "<svg><script>alert(1)</script></svg>", "<svg><a xlink:href='javascript:alert(1)'><text>x</text></a></svg>",
    "<math><mtext><table><mglyph><style><img src=x onerror=alert(1)>", "<math href='javascript:alert(1)'>x</math>",
    "<math><annotation-xml encoding='text/html'><script>alert(1)</script></annotation-xml></math>",
    "<iframe src='javascript:alert(1)'></iframe>", "<iframe srcdoc='<script>alert(1)</script>'>", "<object data=x>",
    "<embed src=x>", "<base href='//e.org'>", "<link rel=stylesheet href=//e.org>", "<meta http-equiv=refresh>",
    "<form action=//e.org><input name=a><button formaction='javascript:alert(1)'>x</button></form>",
    "<style>body{background:url(//e.org)}</style>", "<div style='background:url(//e.org)'>", "<p id=x class=stApp>",
    "<details open ontoggle=alert(1)>", "<video src=x onerror=alert(1)>", "<a href='javascript:alert(1)'>x</a>",
    "<!-- <script>alert(1)</script> -->", "<!--><script>alert(1)</script>", "<![CDATA[<script>alert(1)</script>]]>",
    "<?xml version='1.0'?><x/>", "<!DOCTYPE html><x>", "<noscript><p title='</noscript><script>alert(1)</script>'>",
    "[x](javascript:alert(1))", "[x](java\tscript:alert(1))", "[x](&#106;avascript:alert(1))",
    "[x](&#x6A;&#x61;vascript&colon;alert(1))", "[x](data:text/html;base64,PHNjcmlwdD4=)", "[x](vbscript:msgbox(1))",
    "[x](\x01javascript:alert(1))", "[x](<javascript:alert(1)>)", "<javascript:alert(1)>", "<data:text/html,x>",
    '[x](https://e.org "onmouseover=alert(1) x=\\"")', "[x](https://e.org/\"onclick=alert(1))",
    "[<script>alert(1)</script>](https://e.org)", "https://e.org/\"onmouseover=\"alert(1)", "https://e.org/<script>",
    "![x](https://e.org/i.png)", "![x](<https://e.org/i.png> 't')", "![x][r]\n\n[r]: https://e.org/i.png",
    "[r]: javascript:alert(1)\n\n[r] ![r]", "[![x](https://e.org/a)](javascript:alert(1))", "![x](javascript:alert(1))",
    "```\n</code></pre><script>alert(1)</script>\n```", "```\"onclick=alert(1)\" x='y'\nx\n```",
    "```html\n<script>alert(1)</script></pre>\n```\n\nx\n", "~~~<script>\nx\n~~~\n", "``</code><script>alert(1)``",
    "    </pre><script>alert(1)</script>", "| <script> |\n|:-:|\n| <img src=x onerror=alert(1)> |\n",
    "| a |\n|-|\n| [x](javascript:alert(1)) |\n", "# <svg onload=alert(1)>", "> <script>alert(1)</script>",
    "- [x](javascript:alert(1))\n- <script>", "$\\href{javascript:alert(1)}{x}$", "$\\text{<script>alert(1)</script>}$",
    "$\\text{&lt;img src=x onerror=alert(1)>}$", "$\\unicode{x3C}script\\unicode{x3E}$", "$\\class{copy}{x}$",
    "$\\style{position:fixed}{x}$", "$\\color{red\" onclick=\"alert(1)}{x}$",
    "$$\n\\mbox{</math><script>alert(1)</script>}\n$$",
    "$<\\mtext>&#x3c;script&#x3e;$", "\\(\\textcolor{url(//e.org)}{x}\\)", "$\\operatorname{<img src=x>}$",
    "[x](https://e.org){onclick=alert(1)}", "<https://e.org/\" onclick=alert(1)>", "<a@b.c\"onclick=alert(1)>",
    "&lt;script&gt;alert(1)&lt;/script&gt;", "&#60;script&#62;alert(1)&#60;/script&#62;", "\\<script>alert(1)",
]
# fmt: on


@pytest.mark.parametrize("text", HOSTILE)
def test_nothing_hostile_passes_at_any_prefix(text: str) -> None:
    view = MarkdownBlocks()
    for end in range(len(text) + 1):
        view.update(text[:end])
        for block in view.blocks:
            check(block)
        check(page(text[:end]))


@given(st.lists(st.sampled_from([*PARTS, *HOSTILE]), max_size=12).map("".join))
def test_only_allowed_tags_and_attributes_pass(text: str) -> None:
    check(page(text))


@pytest.mark.parametrize("path", ANSWERS, ids=lambda path: path.stem)
def test_the_sanitizer_removes_nothing_from_usual_answers(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    gated = "".join(drawn(path.read_text()))
    check(gated)
    monkeypatch.setattr(markdown_blocks, "sanitized", lambda html: html)
    ungated = "".join(drawn(path.read_text()))
    assert read(gated) == read(ungated)
    bare = gated.replace(f" {OPENS}", "")
    assert _shape(bare) == _shape(ungated)


def _shape(html: str) -> list[tuple[str, dict[str, str | None]]]:
    reader = _Reader()
    reader.feed(html)
    shape = []
    for tag, attributes in reader.tags:
        # Of the classes that libraries set, only the first is kept.
        classes = (attributes.pop("class", None) or "").removesuffix("contains-task-list").split()[:1]
        shape.append((tag, {**attributes, "class": "".join(classes)}))
    return shape


@given(st.text(max_size=40))
def test_the_sanitizer_removes_other_tags_and_attributes(text: str) -> None:
    for html in (text, f"<{text}>", f"<p {text}>x</p>", f'<a href="{text}">x</a>', f"<math>{text}</math>"):
        check(sanitizer.sanitized(html))


# --- Processing time


def seconds(text: str) -> float:
    """Processor time, which other load does not change."""
    times = []
    for _ in range(2):
        view = MarkdownBlocks()
        started = time.thread_time()
        view.update(text)
        view.update(text, ended=True)
        times.append(time.thread_time() - started)
    return min(times)


REPEATED = [
    "[", "![", "](", "[a](", "*", "**a ", "_a_ ", "~~", "`", "`` ` ", "$", "$a ", "\\(a ", "\\[\n", "$$\na\n", "> ",
    "- ", "- a\n", "1. ", "<", "<a ", "&", "http://a(", "a@", "www.", "|", "a|b\n-|-\n", "a\n", "a ", "```\n",
    "# a\n", "\n", "\r", "- [ ] a\n", "\\", "$x$ ",
]  # fmt: skip


@pytest.mark.parametrize("part", REPEATED)
def test_rendering_time_is_linear(part: str) -> None:
    # Eight times the text would take 64 times as long if quadratic. Short times are too noisy.
    short, long = part * (1_000 // len(part)), part * (8_000 // len(part))
    assert seconds(long) < 24 * seconds(short) + 0.02


@pytest.mark.long
@pytest.mark.parametrize("part", REPEATED)
def test_rendering_time_is_linear_for_long_texts(part: str) -> None:
    assert seconds(part * (50_000 // len(part))) < 40 * seconds(part * (5_000 // len(part))) + 0.2


def test_settled_blocks_are_not_rendered_again() -> None:
    text = "".join(path.read_text() + "\n\n" for path in ANSWERS if path.stem != "30_unfinished") * 5
    view = MarkdownBlocks()
    times = []
    for end in range(0, len(text), 500):
        started = time.thread_time()
        view.update(text[:end])
        times.append(time.thread_time() - started)
    half = len(times) // 2
    assert sum(times[half:]) < 3 * sum(times[:half]) + 0.2


@pytest.mark.parametrize("size", [100_000, pytest.param(2_000_000, marks=[pytest.mark.long, pytest.mark.timeout(600)])])
def test_a_very_long_text_is_read_to_its_end(size: int) -> None:
    text = "".join(path.read_text() + "\n\n" for path in ANSWERS if path.stem != "30_unfinished")
    text = text * (size // len(text))
    view = MarkdownBlocks()
    view.update(text, ended=True)
    assert view.settled == len(view.blocks) > size // 200


@pytest.mark.parametrize(
    "text", ["> " * 500 + "deep", "- " * 500 + "deep", "".join("  " * depth + "- a\n" for depth in range(100))]
)
def test_too_deep_nesting_is_shown_as_written(text: str) -> None:
    assert read(page(text)).removeprefix("Copy").strip() == text.strip()


def test_a_very_long_paragraph_is_shown_without_formatting() -> None:
    assert page("**a** " * 5_000) == "<p>" + ("**a** " * 5_000).strip() + "</p>"


@given(st.text(st.sampled_from("abcXYZ019 ,.;'()?-éß漢αw:/@!*_`[<&"), max_size=60))
@example("see www.example.com now")
@example("1. no list")
@example("a  b ")
@example("a *b* _c_ `d` <https://e.example>")
def test_the_fast_path_for_plain_words_gives_the_same_html(text: str) -> None:
    quick = MarkdownBlocks()
    quick.update(text)
    thorough = MarkdownBlocks()
    thorough.update(f"{text}\n")  # with a line end it is parsed like any text
    assert quick.blocks == thorough.blocks


@pytest.mark.parametrize("text", ["Words", "# Head", "---", "> Quote", "|a|b|\n|-|-|\n|1|2|"])
def test_a_blank_line_settles_the_block_that_it_ends(text: str) -> None:
    view = MarkdownBlocks()
    view.update(f"{text}\n\n")
    assert view.settled == len(view.blocks) == 1


@pytest.mark.parametrize("text", ["- item", "1. item", "    code", "```\ncode"])
def test_a_blank_line_does_not_settle_a_block_that_continues(text: str) -> None:
    view = MarkdownBlocks()
    view.update(f"{text}\n\n")
    assert view.settled == 0


@pytest.mark.parametrize(
    "text",
    [
        "例子**“强调”**例子",
        "这是**重点。**后面",
        "日本語**(強調)**日本語",
        "**注意：**正文",
        '**"인용"**이라고',
        "他说**「你好」**然后",
        "第一~~（旧）~~新",
    ],
)
def test_emphasis_next_to_east_asian_words_needs_no_space(text: str) -> None:
    assert not re.search(r"[*~]", read(page(text)))
    assert re.search("<(strong|s)>", page(text))


@pytest.mark.parametrize("text", ["a**“b”**c", "** a**", "a *b c", "2 ** 3 ** 4", "中 ** 文 ** 字"])
def test_other_emphasis_follows_commonmark(text: str) -> None:
    assert page(text) == f"<p>{text}</p>"


@pytest.mark.parametrize(
    "text",
    [
        "export PATH=$HOME/bin:$PATH now",
        "PHP $foo->bar($baz)",
        "cp ${SOURCE}/${NAME} there",
        "from US$5 to US$6",
        "s/$old/$new/",
        "echo $first$second",
    ],
)
def test_shell_variables_and_amounts_are_not_formulas(text: str) -> None:
    assert read(page(text)) == text
    assert "<math" not in page(text)


@pytest.mark.parametrize("text", ["$x$是", "($x$)", "so $a_1$, and $f(x)$.", "面积$S$"])
def test_formulas_next_to_punctuation_and_east_asian_words_are_recognised(text: str) -> None:
    assert "<math" in page(text)


@pytest.mark.parametrize("tag", ["<br>", "<br/>", "<BR />"])
def test_a_cell_may_hold_a_line_break_and_a_paragraph_shows_its_characters(tag: str) -> None:
    assert "<td>one<br>\ntwo</td>" in page(f"| a | b |\n|---|---|\n| one{tag}two | 2 |")
    assert "<br>" not in page(f"one{tag}two")
    assert "<br>" not in page(f"| a | b |\n|---|---|\n| `one{tag}two` | 2 |")


def test_right_to_left_text_is_shown_in_its_own_direction() -> None:
    assert page("שלום עולם") == '<p dir="auto">שלום עולם</p>'
    assert page("- مرحبا\n- two") == '<ul dir="auto">\n<li dir="auto">مرحبا</li>\n<li dir="auto">two</li>\n</ul>'
    assert "dir=" not in page("left\n\n`<p>`")
    assert 'dir="auto"' in page("| ا | b |\n|---|---|\n| 1 | 2 |")


def test_the_command_prints_html() -> None:
    done = subprocess.run(
        [sys.executable, "-m", "components.markdown"], input="**a** é".encode(), capture_output=True, check=True
    )
    assert done.stdout.decode() == "<p><strong>a</strong> é</p>\n"


@pytest.mark.parametrize("line", ["- a\n", "| a | b |\n", "> a\n", "a\n", "1. *a*\n"])
def test_a_long_block_is_drawn_in_parts_independent_of_the_chunks(line: str) -> None:
    text = ("| x | y |\n|---|---|\n" if "|" in line else "") + line * 4_500
    at_once, in_pieces = MarkdownBlocks(), MarkdownBlocks()
    at_once.update(text, ended=True)
    # Each piece ends within a line, and the open block is read anew with each.
    for end in range(5_001, len(text), 9_001):
        in_pieces.update(text[:end])
    in_pieces.update(text, ended=True)
    assert in_pieces.blocks == at_once.blocks
    assert len(at_once.blocks) == 3
    assert sum(block.count("a") - block.count("table") for block in at_once.blocks) >= 4_500
