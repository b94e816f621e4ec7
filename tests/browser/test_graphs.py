"""Each kind of graph draws, and its table has the figures of the API."""

import re

import pytest
from playwright.sync_api import expect

from browser.explore import Explore, figure_words, inked, percent_words, until

FIGURES = {"Min": "minimum", "Max": "maximum", "Average": "average", "95th": "percentile95", "Last": "last"}


def moments(window):
    return {"start": window["from"], "end": window["to"]}


def series_rows(answer, unit="bit/s", total="B"):
    """The table of a series, as the API's answer says."""
    for row in [*answer["rows"], answer["total"] | {"labels": ["Total"]}]:
        yield {
            **dict.fromkeys(["name"], "Other" if row["other"] else row["labels"][0]),
            **{title: figure_words(row[key], unit) for title, key in FIGURES.items()},
            "Total": figure_words(row["total"], total),
            "Share": percent_words(row["total"] / answer["total"]["total"]),
        }


def shown_rows(explore):
    return [
        {"name" if at == 0 else title: cell for at, (title, cell) in enumerate(row.items())} for row in explore.cells()
    ]


@pytest.mark.parametrize(
    ("kind", "label", "points"),
    [
        ("stacked", "Stacked", 200),
        ("percent", "100 %", 200),
        ("lines", "Lines", 200),
        ("grid", "Grid", 120),
        ("columns", "Columns", 48),
    ],
)
def test_graphs_over_time_have_the_figures_of_the_series(page, demo, window, kind, label, points):
    explore = Explore(page, demo).open(graph=kind, by="DstCountry", **window)

    expect(page.get_by_role("radio", name=label, exact=True)).to_be_checked()
    expect(explore.figure).to_have_accessible_name(re.compile(f"^{label} graph of IP bit/s, .* the largest: "))
    inked(explore.figure)
    answer = explore.ask("series", dimensions=["DstCountry"], points=points, **moments(window))
    assert shown_rows(explore) == list(series_rows(answer))


def test_bars_have_the_figures_of_the_ranking(page, demo, window):
    explore = Explore(page, demo).open(graph="bars", by="DstPort,Proto", limit=5, **window)

    inked(explore.figure)
    expect(explore.figure).to_have_accessible_name(re.compile("^Bars graph of IP bit/s"))
    answer = explore.ask("top", dimensions=["DstPort", "Proto"], limit=5, **moments(window))
    assert [list(row.values()) for row in explore.cells()[:5]] == [
        [
            *row["labels"],
            figure_words(row["value"]),
            percent_words(row["share"]),
            figure_words(row["bytes"], "B"),
            figure_words(row["packets"], ""),
            figure_words(row["flows"], ""),
        ]
        for row in answer["rows"]
    ]


def test_a_sankey_has_the_rates_of_its_nodes(page, demo, window):
    explore = Explore(page, demo).open(graph="sankey", by="SrcCountry,InIfBoundary,Proto", limit=4, **window)

    inked(explore.figure)
    expect(explore.figure).to_have_accessible_name(re.compile("^Sankey graph of IP bit/s"))
    answer = explore.ask("sankey", dimensions=["SrcCountry", "InIfBoundary", "Proto"], limit=4, **moments(window))
    assert {(row["Value"], row["Average"]) for row in explore.cells()} == {
        ("Other" if node["other"] else node["label"], figure_words(node["rate"])) for node in answer["nodes"]
    }


def test_a_heatmap_has_a_row_for_each_value(page, demo, window):
    explore = Explore(page, demo).open(graph="heatmap", by="InIfProvider", filter="InIfBoundary = external", **window)

    inked(explore.figure)
    expect(explore.figure).to_have_accessible_name(re.compile("^Heatmap graph of IP bit/s"))
    answer = explore.ask(
        "heatmap", down=["InIfProvider"], filter="InIfBoundary = external", limit=10, points=100, **moments(window)
    )
    assert {(next(iter(row.values())), row["Max"]) for row in explore.cells()} == {
        ("Other" if row["other"] else row["labels"][0], figure_words(max(values)))
        for row, values in zip(answer["rows"], answer["values"], strict=True)
    }


def test_a_heatmap_of_two_columns(page, demo, window):
    explore = Explore(page, demo).open(graph="heatmap", by="SrcCountry", **window)

    page.get_by_role("combobox", name="Add to across").fill("Proto")
    page.get_by_role("combobox", name="Add to across").press("Enter")

    explore.reaches(across="Proto")
    expect(explore.table.get_by_role("columnheader", name="Max with")).to_be_visible()
    inked(explore.figure)


def test_every_unit_has_the_figures_of_the_api(page, demo, window):
    explore = Explore(page, demo).open(by="Proto", **window)
    for label, unit, letters, total in [
        ("Ethernet bit/s", "l2-bits/s", "bit/s", "B"),
        ("Packets/s", "packets/s", "pps", " packets"),
        ("Flows/s", "flows/s", " flows/s", " flows"),
        ("Bytes", "bytes", "B", "B"),
    ]:
        page.get_by_role("combobox", name="Unit").select_option(label)
        explore.reaches(unit=unit)
        answer = explore.ask("series", dimensions=["Proto"], unit=unit, **moments(window))
        wanted = list(series_rows(answer, letters, total))
        until(page, lambda wanted=wanted: shown_rows(explore) == wanted)


def test_the_load_of_interfaces_is_in_per_cent(page, demo, window):
    explore = Explore(page, demo).open(by="ExporterName,InIfName", graph="lines", **window)
    page.get_by_role("combobox", name="Unit").select_option("% of input")

    answer = explore.ask("series", dimensions=["ExporterName", "InIfName"], unit="in-%", **moments(window))
    wanted = [percent_words(row["maximum"] / 100) for row in answer["rows"] if not row["other"]]
    until(page, lambda: [row["Max"] for row in explore.cells()][: len(wanted)] == wanted)
    expect(explore.table.get_by_role("columnheader", name="Total")).to_have_count(0)


def test_both_directions_show_the_opposite_below(page, demo, window):
    explore = Explore(page, demo).open(by="SrcCountry", limit=3, **window)

    page.get_by_role("checkbox", name="Both directions").check()

    explore.reaches(both="1")
    expect(explore.table.get_by_role("cell", name="← reverse").first).to_be_visible()
    answer = explore.ask("series", dimensions=["SrcCountry"], limit=3, bidirectional=True, **moments(window))
    reverse = [row["Average"] for row in explore.cells() if row["Direction"] == "← reverse"]
    assert reverse == [figure_words(row["average"]) for row in answer["reverse"]]
    inked(explore.figure)


def test_the_previous_period_has_a_row_of_its_own(page, demo, window):
    explore = Explore(page, demo).open(by="SrcCountry", **window)

    page.get_by_role("combobox", name="Compare with").select_option("The same, an hour before")

    explore.reaches(previous="hour")
    row = explore.table.get_by_role("row", name="Total, an hour before")
    expect(row).to_be_visible()
    answer = explore.ask("series", dimensions=["SrcCountry"], previous="hour", **moments(window))
    expect(row).to_contain_text(figure_words(answer["previous"]["row"]["average"]).replace(" ", "\u00a0"))


def test_the_table_sorts_by_any_column(page, demo, window):
    explore = Explore(page, demo).open(by="SrcCountry", limit=20, **window)

    explore.table.get_by_role("button", name="Source country", exact=True).click()

    names = explore.names()
    assert names == sorted(names, key=str.casefold)
    expect(explore.table.get_by_role("columnheader", name="Source country")).to_have_attribute("aria-sort", "ascending")


def test_the_statements_that_ran_are_shown(page, demo, window):
    Explore(page, demo).open(by="SrcAS", filter="DstPort IN (443, 80)", **window)

    page.get_by_role("button", name="SQL", exact=True).click()

    dialog = page.get_by_role("dialog", name="The SQL that ran")
    expect(dialog).to_contain_text("SELECT")
    expect(dialog).to_contain_text("443")
    page.keyboard.press("Escape")
    expect(dialog).to_have_count(0)


def test_a_range_without_flows_says_so(page, demo, window):
    page.goto(f"{demo}/explore?v=1&filter=SrcAddr+%3C%3C+2001:db8:dead::%2F48&from={window['from']}&to={window['to']}")

    expect(page.get_by_text("No flows match")).to_be_visible()
    page.get_by_role("button", name="Without the filter").click()
    expect(page.get_by_role("region", name="Figures of the graph")).to_be_visible()
