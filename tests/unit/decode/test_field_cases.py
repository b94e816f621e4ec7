"""Field cases of times, families and sFlow lengths, as captures; the same bytes are built in the unit tests."""

from __future__ import annotations

from typing import Any

import pytest

from captures import ROOT
from millrace.batch import address_text
from millrace.decode import Counts, Decoder
from millrace.decode.raw import RawDecoder
from millrace.receive.capture import read_capture
from millrace.schema import Schema

CASES = ROOT.parent / "cases"
SCHEMA = Schema()

pytestmark = pytest.mark.skipif(not CASES.is_dir(), reason=f"the field cases are not at {CASES}")


def decoded(name: str) -> tuple[list[dict[str, Any]], Counts]:
    decoder, counts, rows = Decoder(SCHEMA), Counts(), []
    for batch in read_capture(CASES / f"{name}.pcap"):
        result = decoder.decode(batch)
        counts.add(result.counts)
        rows += result.flows.ordered().to_arrow(SCHEMA).to_pylist()
    return rows, counts


def happened(counts: Counts, event: str) -> int:
    return sum(amount for (_, _, what), amount in counts.events.items() if what == event)


def test_01b_unix_seconds_where_ntp_time_is_due() -> None:
    (row,), counts = decoded("01b-unix-seconds-in-ntp-field")
    assert (row["TimeFlowStart"], row["TimeFlowEnd"]) == (None, None)
    assert happened(counts, "implausible_times") == 1


def test_06_a_frame_length_of_what_was_captured_and_its_control() -> None:
    (row,), counts = decoded("06-juniper-frame-length")
    assert (row["Bytes"], happened(counts, "short_frame_lengths")) == (1500, 1)
    (row,), counts = decoded("06d-lying-ip-length")
    assert (row["Bytes"], happened(counts, "short_frame_lengths")) == (46, 0)


def test_07_a_header_cut_inside_tcp() -> None:
    (row,), _ = decoded("07-huawei-cut-tcp")
    assert (row["TCPFlags"], row["SrcPort"], row["DstPort"], row["IPTos"]) == (0x12, 443, 50000, 72)


def test_08_ethernet_records_of_20_bytes() -> None:
    rows, counts = decoded("08-ethernet-20-bytes")
    assert (len(rows), sum(counts.drops.values())) == (3, 2)
    shown = [one for batch in read_capture(CASES / "08-ethernet-20-bytes.pcap") for one in RawDecoder().decode(batch)]
    records = [r for one in shown for sample in one["samples"] for r in sample["records"] if r["format"] == 2]
    assert [("fields" in record, record.get("too_short", False)) for record in records] == [
        (False, True), (False, True), (True, False),
    ]  # fmt: skip


def test_20_a_reboot_before_the_new_start_of_the_system_is_told() -> None:
    (first, second, third), counts = decoded("20-reboot-stale-boot")
    assert [first["TimeFlowEnd"].timestamp(), third["TimeFlowEnd"].timestamp()] == [1_699_999_999, 1_700_000_099]
    assert (second["TimeFlowStart"], second["TimeFlowEnd"]) == (None, None)
    assert happened(counts, "implausible_times") == 1


def test_25_one_template_for_both_families() -> None:
    rows, _ = decoded("25-one-template-both-families")
    found = [(row["EType"], address_text(row["SrcAddr"]), address_text(row["DstAddr"])) for row in rows]
    four, six = 0x0800, 0x86DD
    assert found == [
        (four, "192.0.2.10", "198.51.100.20"),
        (six, "2001:db8::1", "2001:db8::2"),
        (four, "0.0.0.0", "255.255.255.255"),
        (six, "2001:db8::1", "2001:db8::2"),
        (four, "192.0.2.10", "198.51.100.20"),
        (six, "::", "ff02::1:2"),
        (six, "::", "ff02::1:2"),
    ]
