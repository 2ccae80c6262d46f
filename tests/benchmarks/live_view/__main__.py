"""Measures, and prints tables in Markdown, which the package's docstring explains."""

from __future__ import annotations

import argparse
import sys
from dataclasses import replace

from playwright.sync_api import Browser, sync_playwright

import tests.benchmarks.live_view as package
from components.drafts.comparison import MAX_LANES
from tests.benchmarks.live_view.crowd import crowd_table, measure_crowd
from tests.benchmarks.live_view.figures import table, widget_table
from tests.benchmarks.live_view.measurement import LOCAL_ONLY, Measurement, measure
from tests.benchmarks.live_view.rivals import (
    BENCH_COMPARE,
    BENCH_PLAYGROUND,
    BENCH_WIDGETS,
    COMPARE,
    LANES,
    TEMPERA,
    Case,
    LeftOut,
    Rival,
    rivals,
)
from tests.benchmarks.live_view.server_cpu import measure_server, server_table
from tests.benchmarks.live_view.waits import waits_table
from tests.benchmarks.live_view.widgets import COMPARE_WIDGETS, OTHER_WIDGETS, TEMPERA_WIDGETS, Answers, measure_widget
from tests.chromium import CHROMIUM_FLAGS, program

SHORTEST_STREAM_SECONDS = 5.0
"""Where something is measured in the middle of a stream."""


def main() -> None:
    parser = argparse.ArgumentParser(
        prog="python -m tests.benchmarks.live_view",
        description=package.__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--tokens", type=int, nargs="+", help="default: 500 2000, at full speed 20000, of clients 1000")
    parser.add_argument("--rate", type=float, default=100.0, help="tokens per second in each lane; 0 is full speed")
    parser.add_argument("--lanes", type=int, default=1, choices=range(1, MAX_LANES + 1), help="answers side by side")
    parser.add_argument("--rivals", nargs="+", choices=list(rivals(None)), help="default: all")
    parser.add_argument("--gradio-python", metavar="PATH", help="a Python that has Gradio")
    parser.add_argument("--widgets", action="store_true", help="measure widgets while answers stream")
    parser.add_argument("--touches", type=int, default=25, help="of each widget")
    parser.add_argument("--clients", type=int, default=0, help="measure so many visitors at once")
    parser.add_argument("--server-cpu", action="store_true", help="measure the server, watched and not")
    parser.add_argument("--waits", action="store_true", help="measure the first text, a page, another page, a reload")
    parser.add_argument("--times", type=int, default=3, help="of each measurement of the server, and of each wait")
    arguments = parser.parse_args()
    if not arguments.tokens:
        arguments.tokens = [1000] if arguments.clients else [500, 2000] if arguments.rate else [20_000]
    longest = Case(max(arguments.tokens), arguments.rate, arguments.clients or arguments.lanes)
    is_short = not longest.rate or longest.tokens / longest.rate < SHORTEST_STREAM_SECONDS
    if is_short and (arguments.clients or arguments.widgets or arguments.server_cpu):
        parser.error(f"this needs streams of {SHORTEST_STREAM_SECONDS:g} seconds or more")
    if arguments.clients:
        print(crowd_table(measure_crowd(longest)))
        return
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=program(), args=[*CHROMIUM_FLAGS, LOCAL_ONLY])
        if arguments.widgets:
            answers: dict[str, Answers] = {}
            alone = [(TEMPERA, TEMPERA_WIDGETS), (BENCH_WIDGETS, OTHER_WIDGETS)]
            for rival, widgets in alone if arguments.lanes == 1 else [(COMPARE, COMPARE_WIDGETS)]:
                for widget in widgets:
                    answers |= measure_widget(browser, widget, longest, arguments.touches, rival)
            print(widget_table(answers))
        elif arguments.waits:
            print(waits_table(browser, arguments.lanes, arguments.times))
        elif arguments.server_cpu:
            rival = BENCH_PLAYGROUND if arguments.lanes == 1 else BENCH_COMPARE
            print(server_table(measure_server(browser, rival, longest, arguments.times)))
        else:
            known = rivals(arguments.gradio_python) if arguments.lanes == 1 else LANES
            chosen = [rival for name, rival in known.items() if name in (arguments.rivals or known)]
            for tokens in arguments.tokens:
                measurements = compare(browser, chosen, replace(longest, tokens=tokens))
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
