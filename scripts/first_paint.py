"""Measure how soon pages of the console show something, and how many bytes they take.

Opens each page in Chromium with an empty cache, several times, and again with a full one. Needs a console that runs:

    millrace demo &
    .venv/bin/python scripts/first_paint.py http://127.0.0.1:8080
    .venv/bin/python scripts/first_paint.py http://127.0.0.1:8080 --page /explore --page /flows --runs 9
"""

from __future__ import annotations

import argparse
import statistics
import sys
from collections import Counter
from dataclasses import dataclass, field
from typing import Any

from playwright.sync_api import Browser, BrowserContext, Error, sync_playwright

_ARGUMENTS = [
    "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking",
    "--disable-component-update", "--disable-sync",
]  # fmt: skip
_TARGET_S = 1.5
_PAINT = """() => new Promise(resolve => {
    const done = list => {
        for (const entry of list.getEntries()) {
            if (entry.name === "first-contentful-paint") resolve(entry.startTime);
        }
    };
    new PerformanceObserver(done).observe({type: "paint", buffered: true});
    setTimeout(() => resolve(null), 20000);
})"""


@dataclass
class Visit:
    """What opening a page took.

    Attributes
    ----------
    paint_ms : float or None
        From the request to the first content that is painted; None: nothing was, within 20 s.
    quiet_ms : float
        Until nothing was asked for any more for half a second.
    transferred : Counter
        Bytes on the wire by kind of resource, headers included.
    """

    paint_ms: float | None = None
    quiet_ms: float = 0.0
    transferred: Counter[str] = field(default_factory=Counter)

    @property
    def total(self) -> int:
        """Bytes on the wire."""
        return sum(self.transferred.values())


def visit(context: BrowserContext, url: str) -> Visit:
    """Open a page in a tab of its own."""
    page, found = context.new_page(), Visit()
    kinds: dict[str, str] = {}
    wire = context.new_cdp_session(page)
    wire.send("Network.enable")

    def began(event: dict[str, Any]) -> None:
        kinds[event["requestId"]] = event.get("type", "Other")

    def ended(event: dict[str, Any]) -> None:
        found.transferred[kinds.get(event["requestId"], "Other")] += int(event["encodedDataLength"])

    wire.on("Network.requestWillBeSent", began)
    wire.on("Network.loadingFinished", ended)
    page.goto(url, wait_until="load")
    found.paint_ms = page.evaluate(_PAINT)
    try:
        page.wait_for_load_state("networkidle", timeout=5000)
    except Error:
        # A page with a live stream is never quiet.
        found.quiet_ms = float("nan")
    else:
        found.quiet_ms = page.evaluate("() => performance.now()")
    page.close()
    return found


def measure(browser: Browser, url: str, runs: int) -> bool:
    """Print the figures of a page; whether it paints as soon as it should."""
    cold = []
    for _ in range(runs):
        context = browser.new_context(viewport={"width": 1440, "height": 900})
        cold.append(visit(context, url))
        warm = visit(context, url)
        context.close()
    paints = [one.paint_ms for one in cold if one.paint_ms is not None]
    print(url)
    if len(paints) < runs:
        print(f"  painted nothing within 20 s in {runs - len(paints)} of {runs} runs")
        return False
    median = statistics.median(paints)
    print(f"  first contentful paint: {median:.0f} ms (median of {runs}; {min(paints):.0f} to {max(paints):.0f})")
    print(f"  quiet after: {statistics.median(one.quiet_ms for one in cold):.0f} ms")
    kinds = ", ".join(f"{kind} {size / 1000:.1f}" for kind, size in cold[-1].transferred.most_common())
    print(f"  transferred: {cold[-1].total / 1000:.1f} kB ({kinds})")
    paint = "nothing" if warm.paint_ms is None else f"{warm.paint_ms:.0f} ms"
    print(f"  with a full cache: {paint}, {warm.total / 1000:.1f} kB")
    return median <= _TARGET_S * 1000


def main() -> int:
    """Parse arguments, measure; 1 if a page is too slow."""
    parser = argparse.ArgumentParser(description="Measure first paint and bytes of the console.")
    parser.add_argument("url", help="address of the console")
    parser.add_argument("--page", action="append", default=[], help="path of a page; repeatable (default: /)")
    parser.add_argument("--runs", type=int, default=5, help="visits with an empty cache")
    parser.add_argument("--chromium", default="/usr/bin/chromium", help="the browser")
    arguments = parser.parse_args()
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=arguments.chromium, args=_ARGUMENTS)
        pages = [arguments.url.rstrip("/") + path for path in arguments.page or ["/"]]
        reached = [measure(browser, page, arguments.runs) for page in pages]
        browser.close()
    return 0 if all(reached) else 1


if __name__ == "__main__":
    sys.exit(main())
