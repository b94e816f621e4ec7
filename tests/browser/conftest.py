"""The console in a real Chromium, over real servers that run as processes of their own."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from urllib.parse import urlsplit

import httpx
import pytest
from playwright.sync_api import expect

from services.collector import Collector, free_port, wait_for
from services.conftest import need

MILLRACE = Path(sys.executable).with_name("millrace")
CHROMIUM = os.environ.get("MILLRACE_CHROMIUM") or shutil.which("chromium")
ARGUMENTS = [
    "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking",
    "--disable-component-update", "--disable-sync",
]  # fmt: skip

expect.set_options(timeout=15_000)

PASSWORDS = {"ada": "correct horse battery", "eve": "staple staple staple", "tess": "tenant of the office"}
"""Users of the server with logins: an admin, a viewer, and a viewer of one tenant."""


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    folder = Path(__file__).parent
    for item in items:
        if folder in item.path.parents:
            item.add_marker(pytest.mark.service)


# Not of the session: while Playwright runs, no other test of this process can have an event loop.
@pytest.fixture(scope="package")
def browser():
    need(CHROMIUM, "chromium is not installed (Debian package chromium)")
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=ARGUMENTS)
        yield browser
        browser.close()


@pytest.fixture(scope="package")
def demo(browser, tmp_path_factory) -> Iterator[str]:
    """Address of `millrace demo`: two days of history, live flows."""
    folder = tmp_path_factory.mktemp("demo")
    port = free_port(1)
    with (folder / "demo.log").open("wb") as log:
        command = [MILLRACE, "demo", "--data", folder / "data", "--port", str(port), "--rate", "300"]
        process = subprocess.Popen(command, stdout=log, stderr=log)
    url = f"http://127.0.0.1:{port}"

    def flows_come() -> bool:
        try:
            return httpx.get(f"{url}/api/v1/status", timeout=2).json()["stored_flows"] > 0
        except (httpx.HTTPError, KeyError, ValueError):
            return False

    wait_for(flows_come, 110, lambda: (folder / "demo.log").read_text())
    yield url
    process.terminate()
    process.wait(30)


@pytest.fixture(scope="package")
def guarded(browser, tmp_path_factory) -> Iterator[str]:
    """Address of a server that wants a login, with the users of `PASSWORDS` and a few flows."""
    collector = Collector(tmp_path_factory.mktemp("guarded"), extra=GUARDED)
    for name, options in (
        ("ada", ["--role", "admin"]),
        ("eve", ["--role", "viewer"]),
        ("tess", ["--role", "viewer", "--filter", "ExporterName = gw1.office"]),
    ):
        command = [MILLRACE, "user", "add", name, *options, "--password-stdin", "--config", collector.config]
        subprocess.run(command, input=PASSWORDS[name].encode(), check=True, capture_output=True)
    collector.start()
    target = f"127.0.0.1:{collector.udp_port}"
    subprocess.run([MILLRACE, "generate", "--to", target, "--count", "3000", "--rate", "3000"], check=True)
    yield collector.url
    collector.stop()


@pytest.fixture(scope="package")
def window(demo) -> dict[str, str]:
    """Six hours of the history of `demo`, which no flow is added to any more."""
    end = datetime.now(UTC).replace(minute=0, second=0, microsecond=0) - timedelta(hours=2)
    return {"from": _moment(end - timedelta(hours=6)), "to": _moment(end)}


def _moment(moment: datetime) -> str:
    return moment.strftime("%Y-%m-%dT%H:%M:%SZ")


GUARDED = """\
access:
  mode: login
exporters:
  127.0.1.1: {name: edge1.ams, default_sampling_rate: 1000}
  127.0.1.4: {name: gw1.office, default_sampling_rate: 100}
"""


@pytest.fixture
def context(browser):
    context = browser.new_context(viewport={"width": 1280, "height": 800}, timezone_id="Europe/Paris", locale="en-GB")
    context.set_default_timeout(15_000)
    context.grant_permissions(["clipboard-read", "clipboard-write"])
    yield context
    context.close()


@pytest.fixture
def page(context):
    """A page; the test fails if it logs an error or asks another host for anything."""
    page = context.new_page()
    wrong: list[str] = []
    page.on("console", lambda message: wrong.append(message.text) if message.type == "error" else None)
    page.on("pageerror", lambda error: wrong.append(str(error)))
    page.on("request", lambda request: _check_host(request.url, wrong))
    page.wrong = wrong
    yield page
    assert not wrong, wrong


def _check_host(url: str, wrong: list[str]) -> None:
    parts = urlsplit(url)
    if parts.scheme not in ("data", "blob") and parts.hostname != "127.0.0.1":
        wrong.append(f"a request to {url}")
