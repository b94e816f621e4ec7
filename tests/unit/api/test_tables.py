"""The table under a graph as a file."""

from millrace.api.tables import series_records, series_table
from millrace.query.results import Series, SeriesRow


def row(dimensions, labels, *, other=False):
    return SeriesRow(dimensions, labels, other, [1.0, 2.0], 1.5, 1.0, 2.0, 2.0, 1.95, 90.0)


def series(rows, reverse=None, dimensions=("SrcAS", "SrcAddr", "DstCommunities")):
    moment = "2026-01-01T12:00:00Z"
    total = row([], [])
    return Series(
        list(dimensions), "bits/s", *[moment] * 6, "seconds", 60, 10, [moment, moment], [60, 60], rows, reverse, None,
        total, [], [],
    )  # fmt: skip


def test_rows_have_values_labels_and_figures():
    answer = series(
        [
            row([64500, "192.0.2.0/24", ["64500:1", "64500:2"]], ["AS64500 Example", "192.0.2.0/24", "x"]),
            row([], [], other=True),
        ],
        [row([64501, None, None], ["AS64501", "", ""])],
    )
    records = series_records(series_table(answer))
    assert records[0] == {
        "SrcAS": 64500,
        "SrcASLabel": "AS64500 Example",
        "SrcAddr": "192.0.2.0/24",
        "SrcAddrLabel": "192.0.2.0/24",
        "DstCommunities": "64500:1 64500:2",
        "DstCommunitiesLabel": "x",
        "Other": False,
        "Reverse": False,
        "Unit": "bits/s",
        "Average": 1.5,
        "Minimum": 1.0,
        "Maximum": 2.0,
        "Last": 2.0,
        "Percentile95": 1.95,
        "Total": 90.0,
        "FiguresSeconds": 10,
    }
    assert (records[1]["SrcAS"], records[1]["SrcASLabel"], records[1]["Other"]) == (None, None, True)
    assert (records[2]["SrcAS"], records[2]["SrcAddr"], records[2]["Reverse"]) == (64501, None, True)


def test_no_dimensions_and_no_rows_make_a_table_too():
    assert series_records(series_table(series([row([], [])], dimensions=())))[0]["Total"] == 90.0
    assert series_table(series([])).num_rows == 0
