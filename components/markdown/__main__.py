"""``python -m components.markdown``: Markdown on standard input, the HTML that a page shows on standard output."""

from __future__ import annotations

import sys

from components.markdown.answer import AnswerBlocks

if __name__ == "__main__":
    answer = AnswerBlocks("markdown")
    answer.update(sys.stdin.buffer.read().decode("utf-8", "replace"), ended=True)
    sys.stdout.buffer.write("".join(answer.blocks).encode())
