"""The raw decoder shows what TShark shows."""

from __future__ import annotations

import pytest

from captures import Capture, flow_captures, needs_captures
from differential import pins, tshark_legacy, tshark_netflow, tshark_sflow
from differential.compare import Tally
from millrace.decode.raw import RawDecoder

pytestmark = needs_captures

DECODES = {c.entry["tshark"]: c for c in reversed(flow_captures()) if c.entry["tshark"]}
"""Captures by file of TShark's decode; some files are the decode of several captures."""


def compare(capture: Capture) -> Tally:
    """Compare every frame of a stored decode that TShark took for flow data."""
    tally = Tally()
    decoder = RawDecoder()
    templates: dict = {}
    for frame in capture.tshark():
        layer = frame.get("cflow") or frame.get("sflow")
        if layer is None:
            continue
        payload = bytes.fromhex(frame["udp"]["udp.payload"].replace(":", ""))
        shown = decoder.decode_payload(payload, bytes(16))
        match shown["protocol"]:
            case "ipfix" | "netflow-v9":
                tshark_netflow.compare_message(layer, shown, templates, tally)
            case "sflow-v5":
                tshark_sflow.compare_datagram(layer, shown, tally)
            case _:
                tshark_legacy.compare_message(layer, shown, tally)
    return tally


@pytest.mark.parametrize("path", DECODES, ids=list(DECODES))
def test_every_value_that_tshark_shows_is_equal(path: str):
    pins.check("tshark", path, compare(DECODES[path]))
