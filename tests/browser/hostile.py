"""Texts of a hostile endpoint, link, file or user that try to make a page load or run something.

LEAK is the address of a server that must never be called and counts its calls; the path identifies the string.
A string that runs leaves its mark in ``window.__xss``.
"""

from __future__ import annotations

LEAK = "LEAK"

STRINGS = (
    # Images of Markdown: inline, by reference, and nested in other elements.
    "![a](LEAK/1)",
    '![a](<LEAK/2> "t")',
    "![a][r2]\n\n[r2]: LEAK/3",
    "![r4][]\n\n[r4]: LEAK/4",
    "![r5]\n\n[r5]:\nLEAK/5 'title'",
    "[![a](LEAK/6)](LEAK/6b)",
    "# ![a](LEAK/7)",
    "| ![a](LEAK/8) | b |\n|---|---|\n| ![c](LEAK/8b) | <img src=LEAK/8c> |",
    "- ![a](LEAK/9)\n  > ![b](LEAK/9b)",
    "**![a](LEAK/10)** ~~![b](LEAK/10b)~~",
    "x[^1] ![^1](LEAK/11)\n\n[^1]: ![a](LEAK/11b)",
    "\\\\![a](LEAK/12) \\![b](LEAK/12b)",
    "![a](//127.0.0.1:9/13) ![b](http:/\\LEAK/13)",
    "![a](data:image/svg+xml,<svg/onload=window.__xss=14>)",
    # Fences, formulas and comments without an end, or with an unusual one.
    "```\n![a](LEAK/15)\n``` ![b](LEAK/15b)",
    "``![a](LEAK/16)` ![b](LEAK/16b)``` ![c](LEAK/16c)",
    "~~~html\n<img src=LEAK/17>\n~~~~\n\n![a](LEAK/17b)",
    "```mermaid\nflowchart TD\nA@{ img: 'LEAK/18' }\n```",
    "$$\n![a](LEAK/19)\n$$ $\\includegraphics{LEAK/19b}$ \\(\\href{javascript:window.__xss=19}{x}\\)",
    "$\\htmlStyle{background:url(LEAK/20)}{x}$ $\\unicode{<img src=LEAK/20b>}$",
    "<!-- ![a](LEAK/21) --> ![b](LEAK/21b) <!-- \n\n ![c](LEAK/21c)",
    # Raw HTML.
    "<img src=LEAK/22 onerror=window.__xss=22>",
    "<img src=x onerror='window.__xss=23'><img srcset='LEAK/23 2x'>",
    "<svg onload=window.__xss=24><image href=LEAK/24 /><use href='LEAK/24b#x'/></svg>",
    "<script>window.__xss=25</script><script src=LEAK/25></script>",
    "<iframe src=LEAK/26></iframe><iframe srcdoc='<script>top.__xss=26</script>'></iframe>",
    "<style>*{background:url(LEAK/27)}</style><link rel=stylesheet href=LEAK/27b>",
    "<video poster=LEAK/28 src=LEAK/28b autoplay></video><audio src=LEAK/28c autoplay>",
    "<object data=LEAK/29></object><embed src=LEAK/29b><base href=LEAK/29c>",
    "<meta http-equiv=refresh content='0;url=LEAK/30'>",
    "<form action=LEAK/31><input autofocus onfocus=window.__xss=31></form>",
    "<details open ontoggle=window.__xss=32><summary>s</summary></details>",
    "<b style='background:url(LEAK/33)' onmouseover=window.__xss=33>b</b>",
    "</textarea></title></style></code></pre></script><img src=LEAK/34 onerror=window.__xss=34>",
    "\"'><img src=LEAK/35 onerror=window.__xss=35> ' onload='window.__xss=35",
    "<math><mtext><img src=LEAK/36 onerror=window.__xss=36></mtext></math>",
    "<noscript><p title='</noscript><img src=LEAK/37 onerror=window.__xss=37>'>",
    "&lt;img src=LEAK/38 onerror=window.__xss=38&gt; &#60;script&#62;window.__xss=38&#60;/script&#62;",
    # Links that run code, and addresses that become links automatically.
    "[a](javascript:window.__xss=39) [b](JaVa\tScript:window.__xss=39) [c](vbscript:x)",
    "[a](data:text/html,<script>window.__xss=40</script>) <javascript:window.__xss=40>",
    "<LEAK/41> LEAK/41b www.example.org me@example.org",
    "[a](/?s=1.x.y) [b](//127.0.0.1:9/42) [c](#top)",
    # Streamlit's extensions of Markdown.
    ":material/home: :red[a] :blue-background[b] :gray-badge[c] :small[d]",
    ":link[a]{href=LEAK/44} :image[a]{src=LEAK/44b} ::img{src=LEAK/44c} :color[x]{foreground='url(LEAK/44d)'}",
    ":smile: :+1: :streamlit: :shimmer[a] a -> b <- c >= d",
    ":::red\n![a](LEAK/46)\n:::",
    # Charts, tables, spreadsheets, templates.
    "a.b[0]['c']\\.d LEAK/47",
    "{\"image\": \"LEAK/48\", \"title\": \"<img src=LEAK/48b>\"}",
    "datum['x'] || (window.__xss=49) || expr(\"window.__xss=49\")",
    '=HYPERLINK("LEAK/50","a") +IMAGE("LEAK/50b") @SUM(1)',
    '=WEBSERVICE("LEAK/51")',
    "{{a}} {{ image }} ${window.__xss=52} #{7*7} {%raw%} %s %(a)s {0} {a!r}",
    "'); window.__xss=53; ('",
    # Invisible and overlong text.
    "\u202e)45/KAEL(]a[!\u202c ![a](LEAK/54)\u2066x\u2069",
    "!\u200b[a](LEAK/55) !\u2060[b](LEAK/55b) \U000e0041\U000e0042 ![c](LEAK/55c\u200b)",
    "\ufeff```\n```\n![a](LEAK/56)",
    "w" * 300 + "![a](LEAK/57)",
    "![" * 10 + "a" + "](LEAK/58)" * 10,
    "a\u0301" * 40 + "\x07\x1b[31m![a](LEAK/59)",
)  # fmt: skip


def hostile(leak: str) -> list[str]:
    """The strings, with the address of the server."""
    return [text.replace(LEAK, leak) for text in STRINGS]
