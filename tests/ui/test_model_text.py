from __future__ import annotations

import re
import time

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from markdown_it import MarkdownIt

from components.ui.answer.model_text import inert_markdown
from components.ui.answer.settled_text import SettledText

JOINER = "\u2060"
# An independent reader, with raw HTML on and tables, as an oracle of what is an image and what is code.
READER = MarkdownIt("commonmark", {"html": True}).enable(["table", "strikethrough"])


def kinds(markdown: str) -> set[str]:
    tokens = READER.parse(markdown)
    return {token.type for block in tokens for token in [block, *(block.children or [])]}


def code_in(markdown: str) -> list[str]:
    tokens = READER.parse(markdown)
    return [
        token.content
        for block in tokens
        for token in [block, *(block.children or [])]
        if token.type in ("fence", "code_block", "code_inline")
    ]


def as_written(markdown: str) -> str:
    """Without what was added: joiners, and backslashes before punctuation."""
    return re.sub(r"\\([!-/:-@\[-`{-~])", r"\1", markdown.replace(JOINER, ""))


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("![alt](http://e.org/i.png)", r"!\[alt\](http\://e.org/i.png)"),
        ("![alt][ref]", r"!\[alt\][ref]"),
        ("![alt]", r"!\[alt\]"),
        ("[![a](http://e.org/i)](https://e.org)", r"[!\[a\](http\://e.org/i)](https\://e.org)"),
        (r"\![a](https://e.org)", r"\![a](https\://e.org)"),
        ("    ![a](http://e.org/i)", r"!\[a\](http\://e.org/i)"),
        ("\ufeff ```\n![a](b)\n```", "```\n![a](b)\n```"),
        ("[ref]: http://e.org/i.png", r"[ref\]: http://e.org/i.png"),
        ("[^1]: a note", r"[^1\]: a note"),
        ("<img src=x onerror=alert(1)>", r"\<img src=x onerror=alert(1)>"),
        ("a <!-- comment --> b </a>", r"a \<!-- comment --> b \</a>"),
        ("a < b and <3", "a < b and <3"),
        ("<https://e.org/a>", "<https://e.org/a>"),
        (":red[x] and :smile:", rf"\:red[x] and \:{JOINER}smile:"),
        (":material/home: :streamlit:", rf"\:{JOINER}material/home: \:{JOINER}streamlit:"),
        ("a -> b -- c >= d", f"a -{JOINER}> b -{JOINER}- c >{JOINER}= d"),
        (r"\:smile: \->", rf"\:{JOINER}smile: \-{JOINER}>"),
        ("https://e.org/a:b, ok", "https://e.org/a:b, ok"),
        ("https://e.org/'><b>", r"https\://e.org/'>\<b>"),
        ("at 12:30", r"at 12\:30"),
        ("[a](https://e.org/x_(y) 'no')", r"[a\](https://e.org/x_(y) 'no')"),
        ('[a](https://e.org/x_(y):z "t")', '[a](https://e.org/x_(y):z "t")'),
        ("[a](mailto:a@e.org)", "[a](mailto:a@e.org)"),
        ("[a](javascript:alert(1))", r"[a\](javascript\:alert(1))"),
        ("[a](/?run=1) and [b](#c)", r"[a\](/?run=1) and [b\](#c)"),
        ("$5 and $10", r"\$5 and \$10"),
        ("$x^2$ costs $5", r"$x^2$ costs \$5"),
        (r"so \(x + 1\) holds", "so $x + 1$ holds"),
        (r"so \[x + 1\] holds", "so $$x + 1$$ holds"),
        ("\\[\nx < 1\n\\]\n\nend", "$$\nx < 1\n$$\n\nend"),
        ("- \\[ x \\]", "- $$\n  x\n  $$\n"),
        ("$$\nx\nno end", "\\$\\$\nx\nno end"),
        (r"\(a\)\(b\)", f"$a${JOINER}$b$"),
        ("```Mermaid\nflowchart\n```", f"```Mer{JOINER}maid\nflowchart\n```"),
        ("~~~ &#109;ermaid\nflowchart\n~~~", f"~~~ &{JOINER}#109;ermaid\nflowchart\n~~~"),
        ("an ` alone", r"an \` alone"),
        ("a | b\n-- | --\n1 | 2", "a | b\n-- | --\n1 | 2"),
        ("- " * 40 + "![a](b)", "```\n" + "- " * 40 + "![a](b)\n```"),
    ],
)
def test_a_text_is_shown_as(text: str, shown: str) -> None:
    assert inert_markdown(text) == shown


@pytest.mark.parametrize(
    "code",
    [
        "```python\n![x](y) :red[x] <b> $5 a -> b :smile: \\(x\\)\n\n```",
        "````md\n```\n![x](y)\n```\n````",
        "~~~\n<img src=x>\n~~~",
        "1. Step\n\n   ```md\n   ![x](y)\n   ```\n\n2. Next\n   - deep\n     ```\n     :red[x] ![a](b)\n     ```",
        "> ```\n> ![x](y)\n> ```",
        "Say:\n\n    ![x](y) :smile:\n\n\tand <b>",
        "Use `![x](y)` and `` a ` -> <b> `` and `$5`.",
        "word `:smile:\nmore` end",
        "```\n![never](closed)",
    ],
)
def test_code_stays_as_it_is(code: str) -> None:
    assert inert_markdown(code) == code


def test_code_after_a_fence_that_ended_with_its_list_is_prose() -> None:
    assert inert_markdown("- ```\n![x](y)\n```\n![code](z)") == "- ```\n!\\[x\\](y)\n```\n![code](z)"


# Found by comparing with Streamlit's own reader (micromark); each once let an image through.
@pytest.mark.parametrize(
    "text",
    [
        "[a](http://e.org/`y) ![b](u) `",
        "https://e.org/` ![i](u) `",
        "| `a | ![x](u) ` |\n|---|---|",
        "$a<b x='$ ` '> ![i](u) `",
        ":b{x='$ ` '} ![i](u) `",
        "`a\n\n`![i](u)`",
        "- | a |\n  |-|\n2. x\n\n    ![i](u)",
        "10) > 1.\n\n    > ![i](u)",
        "`(\n[^1]: =`\n\n    ![i](u)",
        "a\n\n    code\n\n10) ~~~![i](u)",
        "| a |\n|-|\n- \n    ![i](u)",
        "foo\n> 10) ```![i](u)",
    ],
)
def test_what_one_reader_takes_for_code_and_another_does_not_is_no_image(text: str) -> None:
    result = inert_markdown(text)
    assert "image" not in kinds(result)
    assert "![" not in result or code_in(result)


# fmt: off
PARTS = [
    "![a](http://l/i)", "![a][r]", "![r]", "!", "[", "](http://l/x)", "]", "(", "`", "``", "`c`", "$", "$x$", "\\",
    "<b x='", "'>", "<img src=http://l>", "<", "https://l/", "[a](http://l/ '", "\")", ":d[", ":s:", "->", " -- ",
    "foo", " ", "*", "_", "\\(", "\\)", "<http://l/", ">", "&#33;", "\n", "\n\n", "\r\n", "- ", "1. ", "> ",
    "    ", "  ", "\t", "```", "```md\n", "~~~", "````\n", "$$\n", "\\[\n", "\\]\n", "# ", "---\n", "===\n",
    "[^1]: ", "\n[r]: http://l/r\n", "<div>", "<!--", "-->", "<pre>", "\n10) ", "|", "| a |\n", "|---|\n",
]
# fmt: on
FRAGMENTS = st.lists(st.sampled_from(PARTS), max_size=25).map("".join)


@given(FRAGMENTS)
@example("    ![x](http://l)")
@example("\n\ufeff    ![x](http://l)\n    a")
def test_no_image_survives_at_any_prefix(text: str) -> None:
    for end in range(len(text) + 1):
        assert "image" not in kinds(inert_markdown(text[:end]))


@given(FRAGMENTS)
def test_no_image_survives_in_the_pieces_of_a_live_answer(text: str) -> None:
    view = SettledText(0)
    view.update(text)
    for piece in [*view.pieces, view.open_end]:
        assert "image" not in kinds(inert_markdown(piece))


@given(FRAGMENTS)
def test_what_streamlit_trims_makes_no_code_and_no_image(text: str) -> None:
    # As st.markdown does; it must not find indented code that was not there before.
    result = inert_markdown(text)
    assert "image" not in kinds(inert_markdown(result))
    assert result == result.lstrip()


@given(FRAGMENTS.filter(lambda text: not re.search(r"\$|\\[\[(]", text)))
def test_nothing_of_the_text_is_lost_and_nothing_visible_added(text: str) -> None:
    def bare(markdown: str) -> str:
        return re.sub(r"\s+", "\n", as_written(markdown)).strip()

    assert bare(inert_markdown(text)) == bare(text.replace("\ufeff", ""))


@given(st.lists(st.text("![](x)`:<b>$ ->\\\t|") | st.just(""), max_size=8), st.sampled_from(["```", "~~~", "`````"]))
def test_fenced_code_is_never_changed(lines: list[str], fence: str) -> None:
    body = "".join(f"{line}\n" for line in lines if not line.strip().startswith(("```", "~~~")))
    body = "\n".join(line.rstrip() for line in body.split("\n"))
    code = f"{fence}text\n{body}{fence}"
    assert inert_markdown(f"![a](b)\n\n{code}\n\n![a](b)") == f"!\\[a\\](b)\n\n{code}\n\n!\\[a\\](b)"


@pytest.mark.parametrize(
    "part", ["[", "![a](", "`` ` ", "$a ", "\\(", "> ", "- a\n", "[a](http://b(", ":a", "<a ", "$$\nx\n"]
)
def test_the_time_it_takes_grows_with_the_text_alone(part: str) -> None:
    def seconds(size: int) -> float:
        text = part * (size // len(part))
        times = []
        for _ in range(3):
            started = time.thread_time()
            inert_markdown(text)
            times.append(time.thread_time() - started)
        return min(times)

    # Ten times as much text: a hundred times as long if it were quadratic.
    assert seconds(100_000) < 40 * seconds(10_000) + 0.05
