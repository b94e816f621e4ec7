"""The four examples of the issue, by their address and by hand."""

import re

import pytest
from playwright.sync_api import expect

from browser.explore import Explore, inked, until

COGENT = 'InIfBoundary = external AND InIfProvider = "cogent"'
EXAMPLES = {
    "stacked": ("stacked", "Stacked", ["SrcAS"], COGENT),
    "lines": ("lines", "Lines", ["SrcAS"], COGENT),
    "ethertype": ("stacked", "Stacked", ["EType"], "InIfBoundary = external AND SrcAS IN (AS15169, AS36040)"),
    "sankey": (
        "sankey",
        "Sankey",
        ["SrcAS", "InIfProvider", "InIfConnectivity", "SrcPort"],
        "InIfBoundary = external",
    ),
}


@pytest.fixture(params=EXAMPLES.values(), ids=EXAMPLES)
def example(request):
    return request.param


def expected(explore, kind, dimensions, text, window):
    question = {"dimensions": dimensions, "filter": text, "start": window["from"], "end": window["to"]}
    if kind == "sankey":
        return {node["label"] for node in explore.ask("sankey", **question)["nodes"] if not node["other"]}
    return {row["labels"][0] for row in explore.ask("series", **question)["rows"] if not row["other"]}


def test_an_address_shows_the_example(page, demo, window, example):
    kind, label, dimensions, text = example
    explore = Explore(page, demo).open(graph=kind, by=",".join(dimensions), filter=text, **window)

    expect(page.get_by_role("radio", name=label, exact=True)).to_be_checked()
    expect(explore.filter).to_have_text(text)
    inked(explore.figure)
    assert set(explore.names()) == expected(explore, kind, dimensions, text, window) != set()


def test_the_example_is_made_by_hand(page, demo, window, example):
    kind, label, dimensions, text = example
    explore = Explore(page, demo).open(by="DstPort", graph="bars", **window)

    explore.kind(label)
    explore.dimensions(*dimensions)
    explore.type_filter(text)

    explore.reaches(filter=text, by="" if dimensions == ["SrcAS"] else ",".join(dimensions))
    wanted = expected(explore, kind, dimensions, text, window)
    until(page, lambda: set(explore.names()) == wanted)
    expect(explore.figure).to_have_accessible_name(re.compile(f"^{label} graph of IP bit/s"))
    inked(explore.figure)
