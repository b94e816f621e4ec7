"""The decoder gives the rows that stand beside the captures of `tests/recorded`, on any clone."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from differential.recorded import FOLDER, Recorded, compare, decode
from differential.test_vectorised import decode_both

CAPTURES = sorted(path.stem for path in FOLDER.glob("*.pcap"))

MOST_BYTES = 2_000_000

SCRIPT = Path(__file__).parents[2] / "scripts" / "make_captures.py"

WAITING = "built-v9-late-templates"
"""Its data come before their template. The slow reference does not let them wait."""

LOST = ("datagram", "set", "template", "sample")
"""Units of which nothing of a well-behaved program may be given up; of its records some have no column."""


@pytest.fixture(params=CAPTURES)
def capture(request) -> Recorded:
    return Recorded(request.param)


@pytest.fixture(params=["in one batch", "datagram by datagram"])
def told(request, capture):
    return decode(capture.batches() if request.param == "in one batch" else capture.single_datagrams())


def test_flows_are_what_stands_beside_the_capture(capture, told):
    expected = capture.expected("flow")
    assert expected
    tally = compare(expected, told.flows, whole=capture.whole)
    assert not tally.differences, tally.explain()


def test_interface_counters_are_what_stands_beside_the_capture(capture, told):
    tally = compare(capture.expected("counters"), told.counters, whole=capture.whole)
    assert not tally.differences, tally.explain()


def test_what_is_given_up_is_what_stands_beside_the_capture(capture, told):
    expected = {(drop["unit"], drop["reason"]): drop["amount"] for drop in capture.expected("drop")}
    given_up = {key: amount for key, amount in told.drops.items() if capture.whole or key[0] in LOST}
    assert given_up == expected


def test_cutting_the_capture_into_datagrams_changes_no_row(capture):
    whole, cut = decode(capture.batches()), decode(capture.single_datagrams())
    for kind in ("flows", "counters"):
        tally = compare(getattr(whole, kind), getattr(cut, kind), whole=True)
        assert not tally.differences, tally.explain()


@pytest.mark.parametrize("name", [name for name in CAPTURES if name != WAITING])
def test_every_column_is_what_the_slow_reference_makes_of_it(name: str):
    flows, counters = decode_both(Recorded(name))
    assert flows.compared > 1
    assert not flows.differences, flows.explain()
    assert not counters.differences, counters.explain()


def test_comparison_notices_a_wrong_value_a_missing_row_and_a_column_too_many():
    row = {"SrcAddr": "192.0.2.1", "Bytes": 10}
    assert compare([row], [row | {"Bytes": 11}], whole=False).names() == {"Bytes"}
    assert compare([row, row], [row], whole=False).names() == {"rows"}
    assert compare([row], [row | {"Packets": 1}], whole=True).names() == {"Packets"}
    assert not compare([row], [row | {"Packets": 1}], whole=False).differences


def test_every_capture_has_its_rows_and_is_told_of_in_the_readme():
    assert sorted(path.stem for path in FOLDER.glob("*.jsonl")) == CAPTURES
    told = (FOLDER / "README.md").read_text()
    assert [name for name in CAPTURES if f"`{name}`" not in told] == []


def test_every_protocol_has_rows_by_hand_and_rows_of_a_real_program():
    protocols = {
        kind: {
            row["FlowProtocol"]
            for name in CAPTURES
            if name.startswith("built-") == (kind == "by hand")
            for row in Recorded(name).expected("flow")
        }
        for kind in ("by hand", "real")
    }
    current = {"netflow-v5", "netflow-v9", "ipfix", "sflow-v5"}
    assert protocols == {"by hand": current | {"netflow-v1", "netflow-v7"}, "real": current}


def test_the_folder_stays_small():
    assert sum(path.stat().st_size for path in FOLDER.iterdir()) < MOST_BYTES


def test_built_captures_are_what_their_builders_make():
    done = subprocess.run([sys.executable, SCRIPT, "--check"], capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.stdout + done.stderr
