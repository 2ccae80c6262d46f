"""Measures, and prints tables in Markdown. What they mean is said in the package's docstring."""

from __future__ import annotations

import argparse
import shutil
import sys

from playwright.sync_api import Browser, sync_playwright

import tests.benchmarks.live_view as package
from tests.benchmarks.live_view.figures import table, widget_table
from tests.benchmarks.live_view.measurement import LOCAL_ONLY, Measurement, measure
from tests.benchmarks.live_view.rivals import LANES, TEMPERA, Case, LeftOut, Rival, rivals
from tests.benchmarks.live_view.widgets import TEMPERA_WIDGETS, Answers, measure_widget
from tests.browser.conftest import CHROMIUM_FLAGS


def main() -> None:
    parser = argparse.ArgumentParser(
        prog="python -m tests.benchmarks.live_view",
        description=package.__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--tokens", type=int, nargs="+", help="default: 500 2000, at full speed 20000")
    parser.add_argument("--rate", type=float, default=100.0, help="tokens per second in each lane; 0 is full speed")
    parser.add_argument("--lanes", type=int, default=1, help="answers side by side")
    parser.add_argument("--rivals", nargs="+", choices=list(rivals(None)), help="default: all")
    parser.add_argument("--gradio-python", metavar="PATH", help="a Python that has Gradio")
    parser.add_argument("--widgets", action="store_true", help="measure widgets of Tempera while an answer streams")
    parser.add_argument("--touches", type=int, default=25, help="of each widget")
    arguments = parser.parse_args()
    lengths = arguments.tokens or ([500, 2000] if arguments.rate else [20_000])
    with sync_playwright() as playwright:
        chromium = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))))
        browser = playwright.chromium.launch(executable_path=chromium, args=[*CHROMIUM_FLAGS, LOCAL_ONLY])
        if arguments.widgets:
            case = Case(max(lengths), arguments.rate)
            answers: dict[str, Answers] = {}
            for widget in TEMPERA_WIDGETS:
                answers |= measure_widget(browser, widget, case, arguments.touches, TEMPERA)
            print(widget_table(answers))
        else:
            known = rivals(arguments.gradio_python) if arguments.lanes == 1 else LANES
            chosen = [rival for name, rival in known.items() if name in (arguments.rivals or known)]
            for tokens in lengths:
                measurements = compare(browser, chosen, Case(tokens, arguments.rate, arguments.lanes))
                if measurements:
                    print(f"\n{table(measurements)}", flush=True)
        browser.close()


def compare(browser: Browser, chosen: list[Rival], case: Case) -> list[Measurement]:
    """Each of the rivals that can be served here, one after the other."""
    measurements = []
    for rival in chosen:
        try:
            measurements.append(measure(browser, rival, case))
        except LeftOut as reason:
            print(reason, file=sys.stderr)
    return measurements


if __name__ == "__main__":
    main()
