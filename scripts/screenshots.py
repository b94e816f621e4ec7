"""Take the pictures of the documentation: the pages of the console over a demo, into ``docs/images``.

Needs Chromium (Debian package ``chromium``). The demo gets a fresh folder and some minutes of live flows; its traffic
is made of fixed seeds, so that two runs differ in little more than the clock.
"""

from __future__ import annotations

import argparse
import base64
import json
import re
import shutil
import socket
import struct
import subprocess
import sys
import tempfile
import time
import urllib.request
import zlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlencode

import numpy as np
from numpy.typing import NDArray
from playwright.sync_api import Browser, Page, sync_playwright

ROOT = Path(__file__).resolve().parents[1]
IMAGES = ROOT / "docs" / "images"
MILLRACE = Path(sys.executable).with_name("millrace")
CHROMIUM_ARGUMENTS = ["--no-sandbox", "--disable-gpu", "--disable-background-networking", "--disable-component-update"]

Pixels = NDArray[np.uint8]
Colours = NDArray[np.int64]

READ_PIXELS = """async picture => {
  const bitmap = await createImageBitmap(await (await fetch(`data:image/png;base64,${picture}`)).blob());
  const canvas = new OffscreenCanvas(bitmap.width, bitmap.height);
  canvas.getContext("2d").drawImage(bitmap, 0, 0);
  const { data } = canvas.getContext("2d").getImageData(0, 0, bitmap.width, bitmap.height);
  let letters = "";
  for (let i = 0; i < data.length; i += 32768) letters += String.fromCharCode(...data.subarray(i, i + 32768));
  return [[bitmap.width, bitmap.height], btoa(letters)];
}"""

WIDE = (1440, 900)
TELEPHONE = (360, 740)
WARM_UP_S = 75
"""Seconds of live flows, so that rates and "the last minute" are those of a collector that runs."""


@dataclass(frozen=True)
class Shot:
    """A picture.

    Attributes
    ----------
    name : str
        Of the file, without ``.png``.
    path : str
        Of the page.
    ready : str
        Words that the page shows when its data is there.
    size : (int, int)
        Of the window, in pixels.
    dark : bool
    act : callable, optional
        What is done before the picture is taken.
    """

    name: str
    path: str
    ready: str
    size: tuple[int, int] = WIDE
    dark: bool = False
    act: Callable[[Page], None] | None = None


def explore(**state: str) -> str:
    """Path of an exploration."""
    return f"/explore?{urlencode({'v': '1', **state})}"


def complete_a_provider(page: Page) -> None:
    """Type half a filter, so that what can follow is offered."""
    page.get_by_role("textbox", name="Filter").click()
    page.keyboard.type("InIfBoundary = external AND InIfProvider = ", delay=5)
    page.get_by_role("listbox", name="Completions").wait_for()


def open_the_menu_of_a_value(page: Page) -> None:
    """Click a name in the table."""
    page.get_by_role("button", name="AS2906 Netflix", exact=True).click()


def open_a_flow(page: Page) -> None:
    """Show all fields of one flow."""
    grid = page.get_by_role("grid", name=re.compile("^Flows"))
    grid.get_by_role("row").nth(3).click(position={"x": 5, "y": 10})
    page.get_by_role("dialog", name="Flow").get_by_text("Source address").first.wait_for()


COGENT = 'InIfBoundary = external AND InIfProvider = "cogent"'
TWO_NETWORKS = "InIfBoundary = external AND SrcAS IN (AS15169, AS36040)"
SANKEY = {"graph": "sankey", "by": "SrcAS,InIfProvider,InIfConnectivity,SrcPort", "filter": "InIfBoundary = external"}

SHOTS = (
    Shot("overview", "/", "AS15169 Google", (1440, 1420)),
    Shot("overview-dark", "/", "AS15169 Google", (1440, 1420), dark=True),
    Shot("explore-stacked", explore(filter=COGENT), "Total"),
    Shot("explore-lines", explore(filter=COGENT, graph="lines"), "Total"),
    Shot("explore-ethertype", explore(filter=TWO_NETWORKS, by="EType"), "IPv6"),
    Shot("explore-sankey", explore(**SANKEY), "AS15169 Google"),
    Shot("explore-sankey-dark", explore(**SANKEY), "AS15169 Google", dark=True),
    Shot("explore-both-directions", explore(by="SrcCountry", both="1", limit="6"), "United States"),
    Shot("explore-heatmap", explore(graph="heatmap", by="InIfProvider", filter="InIfBoundary = external"), "cogent"),
    Shot("explore-completion", explore(), "AS15169 Google", (1440, 560), act=complete_a_provider),
    Shot("explore-value", explore(), "AS15169 Google", act=open_the_menu_of_a_value),
    Shot("explore-telephone", explore(graph="bars"), "AS15169 Google", TELEPHONE),
    Shot("flows", "/flows", "back to"),
    Shot("flow", "/flows", "back to", act=open_a_flow),
    Shot("live", "/live", "Top of the last minute"),
    Shot("exporters", "/exporters", "edge1.fra", (1440, 520)),
    Shot("exporter", "/exporters/127.0.1.1", "IX: AMS-IX", (1440, 1260)),
    Shot("dashboard", "/dashboards/transit", "Source AS behind transit", (1440, 1060)),
    Shot("docs", "/docs/reference/filter-language", "Filter language"),
    Shot("settings", "/settings/about", "Store", (1440, 720)),
)


def main() -> None:
    """Take all pictures, or those that are named."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("names", nargs="*", help="pictures to take; all if none is named")
    parser.add_argument("--url", help="of a demo that runs already")
    options = parser.parse_args()
    shots = [shot for shot in SHOTS if not options.names or shot.name in options.names]
    with _demo(options.url) as url, sync_playwright() as playwright:
        chromium = shutil.which("chromium")
        browser = playwright.chromium.launch(executable_path=chromium, args=CHROMIUM_ARGUMENTS)
        dashboard = _make_dashboard(browser, url)
        for shot in shots:
            path = IMAGES / f"{shot.name}.png"
            path.write_bytes(_packed(_pixels(browser, _take(browser, url, shot, dashboard))))
            print(f"{path.relative_to(ROOT)}: {path.stat().st_size / 1000:.0f} kB")
        browser.close()


@contextmanager
def _demo(url: str | None) -> Iterator[str]:
    if url:
        yield url
        return
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    with tempfile.TemporaryDirectory() as folder:
        process = subprocess.Popen([MILLRACE, "demo", "--data", folder, "--port", str(port)], stdout=subprocess.DEVNULL)
        try:
            _wait(f"http://127.0.0.1:{port}")
            time.sleep(WARM_UP_S)
            yield f"http://127.0.0.1:{port}"
        finally:
            process.terminate()
            process.wait(60)


def _wait(url: str) -> None:
    for _ in range(600):
        try:
            with urllib.request.urlopen(f"{url}/api/v1/status", timeout=2) as answer:
                if json.load(answer)["stored_flows"] > 0:
                    return
        except OSError:
            pass
        time.sleep(0.5)
    raise SystemExit("the demo did not start")


def _make_dashboard(browser: Browser, url: str) -> str:
    """Path of a dashboard from the template "Transit overview"."""
    with urllib.request.urlopen(f"{url}/api/v1/dashboards") as answer:
        for kept in json.load(answer):
            if kept["name"] == "Transit overview":
                return f"/dashboards/{kept['id']}"
    page = browser.new_page(viewport={"width": WIDE[0], "height": WIDE[1]})
    page.goto(f"{url}/dashboards")
    page.get_by_role("button", name="New dashboard").click()
    page.get_by_role("dialog").get_by_role("button", name=re.compile("^Transit overview")).click()
    page.wait_for_url(re.compile(r"/dashboards/[\w-]"))
    path = page.url.removeprefix(url)
    page.close()
    return path


def _take(browser: Browser, url: str, shot: Shot, dashboard: str) -> bytes:
    """The picture as a PNG."""
    context = browser.new_context(
        viewport={"width": shot.size[0], "height": shot.size[1]},
        color_scheme="dark" if shot.dark else "light",
        reduced_motion="reduce",
        timezone_id="UTC",
        locale="en-GB",
    )
    page = context.new_page()
    page.goto(url + (dashboard if shot.path.startswith("/dashboards/") else shot.path))
    page.get_by_role("main").get_by_text(shot.ready).filter(visible=True).first.wait_for()
    page.wait_for_function("() => !document.querySelector('[aria-busy=true], .animate-pulse')", timeout=20_000)
    if shot.act:
        shot.act(page)
    page.wait_for_timeout(1500 if shot.path != "/live" else 20_000)
    picture = page.screenshot(animations="disabled", caret="hide")
    context.close()
    return picture


def _pixels(browser: Browser, png: bytes) -> Pixels:
    """Colours of a picture, shape (height, width, 3)."""
    page = browser.new_page()
    size, data = page.evaluate(READ_PIXELS, base64.b64encode(png).decode())
    page.close()
    colours = np.frombuffer(base64.b64decode(data), dtype=np.uint8)
    return colours.reshape(size[1], size[0], 4)[:, :, :3]


def _packed(pixels: Pixels) -> bytes:
    """A PNG of 256 colours at most: a third of the bytes, and nobody sees the difference."""
    height, width, _ = pixels.shape
    flat = pixels.reshape(-1, 3).astype(np.int64)
    codes, places, counts = np.unique(flat @ (65536, 256, 1), return_inverse=True, return_counts=True)
    colours = np.stack([codes >> 16, codes >> 8 & 255, codes & 255], axis=1)
    boxes = _boxes(colours, counts)
    palette = np.zeros((len(boxes), 3), dtype=np.uint8)
    index = np.zeros(len(colours), dtype=np.uint8)
    for number, box in enumerate(boxes):
        palette[number] = np.average(colours[box], axis=0, weights=counts[box]).round()
        index[box] = number
    lines = np.zeros((height, width + 1), dtype=np.uint8)  # A line begins with its filter: none.
    lines[:, 1:] = index[places].reshape(height, width)
    return b"\x89PNG\r\n\x1a\n" + b"".join(
        struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))
        for kind, data in (
            (b"IHDR", struct.pack(">IIBBBBB", width, height, 8, 3, 0, 0, 0)),
            (b"PLTE", palette.tobytes()),
            (b"IDAT", zlib.compress(lines.tobytes(), 9)),
            (b"IEND", b""),
        )
    )


def _boxes(colours: Colours, counts: Colours, most: int = 256) -> list[Colours]:
    """Colours in groups of neighbours (median cut); each group is the places of its colours."""
    boxes = [np.arange(len(colours))]
    while len(boxes) < most:
        spans = [np.ptp(colours[box], axis=0).max() * counts[box].sum() ** 0.4 for box in boxes]
        widest = int(np.argmax(spans))
        if spans[widest] == 0:
            break
        box = boxes.pop(widest)
        box = box[np.argsort(colours[box, np.ptp(colours[box], axis=0).argmax()], kind="stable")]
        half = np.searchsorted(np.cumsum(counts[box]), counts[box].sum() / 2)
        half = min(max(int(half), 1), len(box) - 1)
        boxes += [box[:half], box[half:]]
    return boxes


if __name__ == "__main__":
    main()
