"""The playground's response times: a changed field, a pasted long prompt, a painted and scrolled very long answer.

    python -m tests.benchmarks.playground [--changes 60] [--tokens 20000] [--rate 800]

Everything is measured in a real browser, in the page's own clock. Painting is compared within one answer: the last
quarter of its tokens with the first.
"""

from __future__ import annotations

import argparse
import statistics
import tempfile
from itertools import pairwise
from pathlib import Path

from playwright.sync_api import Page, expect, sync_playwright

from tests.benchmarks.live_view.source import source
from tests.browser.conftest import serve_app
from tests.chromium import CHROMIUM_FLAGS, program

# From the key that applies the number to the preview that shows it. A new line in the text ends the number.
WATCH_PREVIEW = """number => {
    window.took = null;
    addEventListener("keydown", () => {
        const began = performance.now();
        const preview = document.querySelector(".st-key-preview");
        const observer = new MutationObserver(() => {
            if (preview.innerText.includes(`"temperature": ${Number(number)},`)) {
                window.took = performance.now() - began;
                observer.disconnect();
            }
        });
        observer.observe(preview, {subtree: true, childList: true, characterData: true});
    }, {once: true, capture: true});
}"""

WATCH_PASTE = """text => {
    window.took = null;
    const area = document.querySelector(".st-key-messages textarea");
    area.focus();
    area.select();
    area.addEventListener("paste", () => {
        const began = performance.now();
        requestAnimationFrame(() => requestAnimationFrame(() => { window.took = performance.now() - began; }));
    }, {once: true});
    return navigator.clipboard.writeText(text);
}"""

WATCH_PAINTS = """() => {
    window.paints = [];
    const box = document.querySelector(".st-key-answer");
    let known = 0;
    new MutationObserver(() => {
        const length = document.querySelector(".st-key-answer")?.textContent.length ?? 0;
        if (length > known) {
            known = length;
            const at = performance.now();
            const paint = {length, at};
            window.paints.push(paint);
            requestAnimationFrame(() => { paint.frame = performance.now() - at; });
        }
    }).observe(document.querySelector(".stMain"), {subtree: true, childList: true, characterData: true});
}"""

SCROLL = """() => {
    const main = document.querySelector(".stMain");
    main.scrollTop = 0;
    window.frames_ms = null;
    const frames = [];
    let last = performance.now();
    const step = now => {
        frames.push(now - last);
        last = now;
        main.scrollTop += 400;
        if (main.scrollTop + main.clientHeight < main.scrollHeight - 5 && frames.length < 2000) {
            requestAnimationFrame(step);
        } else {
            window.frames_ms = frames.slice(1);
        }
    };
    requestAnimationFrame(step);
}"""


def percentile(values: list[float], share: float) -> float:
    return sorted(values)[min(int(len(values) * share), len(values) - 1)]


def wait_for_value(page: Page, expression: str) -> object:
    while (value := page.evaluate(expression)) is None:
        page.wait_for_timeout(20)
    return value


def field_changes(page: Page, changes: int) -> None:
    page.get_by_role("radio", name="Request").click()
    expect(page.locator(".st-key-preview code").first).to_be_visible()
    number = page.locator(".st-key-temperature input")
    took = []
    for change in range(changes):
        value = f"0.{change + 11}"
        number.fill(value)
        page.evaluate(WATCH_PREVIEW, value)
        number.press("Enter")
        took.append(float(str(wait_for_value(page, "window.took"))))
        page.wait_for_timeout(100)
    print(f"field to preview: median {statistics.median(took):.0f} ms, 95th percentile {percentile(took, 0.95):.0f} ms")
    page.locator(".st-key-reset_all button").first.click()
    page.get_by_role("radio", name="Answer").click()


def paste(page: Page) -> None:
    text = "A line of a long prompt, of a hundred characters or so, found in some other document, pasted......\n" * 1000
    page.context.grant_permissions(["clipboard-read", "clipboard-write"])
    page.evaluate(WATCH_PASTE, text)
    page.keyboard.press("Control+V")
    shown = float(str(wait_for_value(page, "window.took")))
    began = page.evaluate("performance.now()")
    page.locator(".st-key-add_user button").first.click()
    expect(page.locator(".st-key-messages textarea")).to_have_count(2)
    applied = page.evaluate("performance.now()") - began
    print(f"{len(text):,} characters pasted: shown after {shown:.0f} ms, applied with a click after {applied:.0f} ms")


def long_answer(page: Page, tokens: int) -> None:
    page.evaluate(WATCH_PAINTS)
    page.locator(".st-key-run button").first.click()
    expect(page.locator(".st-key-run_status")).to_contain_text("finish reason stop", timeout=300_000)
    page.wait_for_timeout(1000)
    paints = [paint for paint in page.evaluate("window.paints") if "frame" in paint]
    whole = max(paint["length"] for paint in paints)
    quarters = {"first": (0, whole / 4), "last": (whole * 3 / 4, whole - 1)}
    for name, (low, high) in quarters.items():
        some = [paint for paint in paints if low <= paint["length"] < high]
        gaps = [after["at"] - before["at"] for before, after in pairwise(some)]
        frames = [paint["frame"] for paint in some]
        print(
            f"{tokens:,} tokens, {name} quarter: {len(some)} paints, median {statistics.median(gaps):.0f} ms apart "
            f"(95th percentile {percentile(gaps, 0.95):.0f}), to the next frame {statistics.median(frames):.0f} ms "
            f"({percentile(frames, 0.95):.0f})"
        )
    page.evaluate(SCROLL)
    wait_for_value(page, "window.frames_ms")
    frames = page.evaluate("window.frames_ms")
    print(
        f"scrolled through in {len(frames)} frames: median {statistics.median(frames):.0f} ms, "
        f"95th percentile {percentile(frames, 0.95):.0f} ms, longest {max(frames):.0f} ms"
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--changes", type=int, default=60)
    parser.add_argument("--tokens", type=int, default=20_000)
    parser.add_argument("--rate", type=float, default=800)
    arguments = parser.parse_args()
    with (
        tempfile.TemporaryDirectory() as folder,
        source(arguments.tokens, arguments.rate) as base_url,
        serve_app(Path(folder), TEMPERA_BASE_URL=base_url) as app,
        sync_playwright() as playwright,
    ):
        browser = playwright.chromium.launch(executable_path=program(), args=list(CHROMIUM_FLAGS))
        page = browser.new_page(viewport={"width": 1440, "height": 900})
        page.goto(app)
        expect(page.locator(".st-key-run button").first).to_be_visible(timeout=30_000)
        page.wait_for_timeout(1000)
        field_changes(page, arguments.changes)
        paste(page)
        page.goto(app)
        expect(page.locator(".st-key-run button").first).to_be_visible()
        long_answer(page, arguments.tokens)
        browser.close()


if __name__ == "__main__":
    main()
