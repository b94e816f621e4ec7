"""The collection of real captures, where it exists."""

import json
from pathlib import Path

import pytest

from millrace.receive import CaptureReport, read_capture

CAPTURES = Path(__file__).parents[4] / "shared" / "captures"

OTHERWISE = {
    # The index counts RADIUS datagrams that can be decoded; this one is UDP all the same.
    "seladb+PcapPlusPlus/Tests/Packet++Test/PacketExamples/radius_wrong.pcap": 1,
}


def test_every_file_gives_the_number_of_datagrams_that_the_index_tells():
    if not (CAPTURES / "index.json").exists():
        pytest.skip("the collection of real captures is not here")
    wrong = {}
    for entry in json.loads((CAPTURES / "index.json").read_text()):
        # BMP travels over TCP.
        over_tcp = sum(count for protocol, count in entry["protocols"].items() if protocol.startswith("BMP"))
        expected = OTHERWISE.get(entry["path"], entry["datagrams"] - over_tcp)
        report = CaptureReport()
        found = sum(len(batch) for batch in read_capture(CAPTURES / entry["path"], report=report))
        if found != expected or report.datagrams != found:
            wrong[entry["path"]] = (found, expected)
    assert wrong == {}
