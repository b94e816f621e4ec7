"""Explore as a user has it before them: its fields by their names, its graph, its table."""

from __future__ import annotations

import re
import time
from collections.abc import Callable
from decimal import ROUND_HALF_UP, Decimal
from urllib.parse import parse_qsl, urlencode, urlsplit

import httpx
from playwright.sync_api import Locator, Page, expect

COLOURED = """figure => {
  let count = 0;
  for (const canvas of figure.querySelectorAll("canvas")) {
    const { data } = canvas.getContext("2d").getImageData(0, 0, canvas.width, canvas.height);
    for (let i = 0; i < data.length; i += 16) {
      const part = data.subarray(i, i + 3);
      if (data[i + 3] > 16 && Math.max(...part) - Math.min(...part) > 40) count++;
    }
  }
  return count > 40;
}"""
"""Whether a drawing has something in it that is neither text nor axis: those are grey."""

SUMS = ("Other", "Total")

CELLS = "table => [...table.rows].map(row => [...row.cells].map(cell => cell.innerText.trim()))"


def inked(figure: Locator) -> None:
    """Wait until the drawing of a figure shows data."""
    figure.page.wait_for_function(COLOURED, arg=figure.element_handle(), polling=100)


def until(page: Page, condition: Callable[[], object], seconds: float = 15) -> None:
    """Wait until something holds that no single element says."""
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end, "the condition did not come true"
        page.wait_for_timeout(50)


def figure_words(value: float, unit: str = "bit/s") -> str:
    """A number as the console writes it: three digits, a prefix of powers of 1000."""
    prefix = 0
    while abs(value) >= 999.5:
        value /= 1000
        prefix += 1
    digits = 0 if value >= 99.95 or value == 0 else 1 if value >= 9.995 else 2
    text = str(int(value)) if prefix == 0 and value == int(value) else fixed(value, digits)
    return re.sub(" +", " ", f"{text} {' kMGTP'[prefix].strip()}{unit}".strip())


def percent_words(share: float) -> str:
    percent = share * 100
    if 0 < percent < 0.05:
        return "< 0.1 %"
    return f"{fixed(percent, 0 if percent >= 99.95 else 1)} %"


def fixed(value: float, digits: int) -> str:
    """A number of so many decimals; what lies in the middle is rounded up, as JavaScript does."""
    return str(Decimal(value).quantize(Decimal(1).scaleb(-digits), ROUND_HALF_UP))


class Explore:
    """The Explore page of a server.

    Parameters
    ----------
    page : Page
    base : str
        Address of the server.
    """

    def __init__(self, page: Page, base: str) -> None:
        self.page = page
        self.base = base
        self.filter = page.get_by_role("textbox", name="Filter")
        self.graph = page.get_by_role("region", name="Graph", exact=True)
        self.figure = self.graph.get_by_role("figure")
        self.table = page.get_by_role("region", name="Figures of the graph").get_by_role("table")
        self.rows = self.table.get_by_role("row")

    def open(self, **state: object) -> Explore:
        self.page.goto(f"{self.base}/explore?{urlencode({'v': 1, **state})}")
        self.settle()
        return self

    def settle(self) -> None:
        """Wait until a graph and its figures stand there, and nothing more is asked."""
        expect(self.figure).to_be_visible()
        expect(self.rows.nth(1)).to_be_visible()
        expect(self.page.get_by_role("status", name="Asking")).to_have_count(0)

    def state(self) -> dict[str, str]:
        """What the address says."""
        return dict(parse_qsl(urlsplit(self.page.url).query))

    def reaches(self, **state: str) -> None:
        """Wait until the address says this."""
        self.page.wait_for_function(
            "wanted => Object.entries(wanted).every(([key, value]) => "
            "(new URLSearchParams(location.search).get(key) ?? '') === value)",
            arg={key.replace("_", "-"): value for key, value in state.items()},
        )

    def kind(self, name: str) -> None:
        self.page.get_by_role("radio", name=name, exact=True).click()

    def type_filter(self, text: str) -> None:
        """Replace the filter and apply it."""
        self.filter.click()
        self.page.keyboard.press("Control+a")
        self.page.keyboard.type(text)
        self.page.get_by_role("button", name="Apply", exact=True).click()

    def dimensions(self, *names: str) -> None:
        """Choose columns, by typing their names; what was chosen goes first."""
        remove = self.page.get_by_role("button", name=re.compile("^Remove "))
        while remove.count():
            remove.first.click()
        for name in names:
            field = self.page.get_by_role("combobox", name=re.compile("^Add to "))
            field.fill(name)
            expect(self.page.get_by_role("option", name=re.compile(rf"\b{name}$")).first).to_be_visible()
            field.press("Enter")
        self.page.keyboard.press("Escape")

    def value(self, name: str, action: str) -> None:
        """Click a value of the table, and what is to be done with it."""
        self.table.get_by_role("button", name=name, exact=True).first.click()
        menu = self.page.get_by_role("menu", name="What to do with")
        menu.get_by_role("menuitem", name=re.compile(f"^{action}")).first.click()

    def cells(self) -> list[dict[str, str]]:
        """The table: a dictionary for each row, by the titles of the columns."""
        titles, *rows = ([re.sub(r"\s+", " ", cell) for cell in row] for row in self.table.evaluate(CELLS))
        return [dict(zip(titles, row, strict=True)) for row in rows]

    def names(self) -> list[str]:
        """What the rows of the table are of, without the sums."""
        return [name for name in (next(iter(row.values())) for row in self.cells()) if name not in SUMS]

    def ask(self, what: str, **question: object) -> dict:
        """Ask the API the same, without a browser."""
        answer = httpx.post(f"{self.base}/api/v1/flows/{what}", json=question, timeout=20)
        assert answer.status_code == 200, answer.text
        return answer.json()
