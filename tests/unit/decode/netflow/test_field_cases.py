"""Field cases of NetFlow and IPFIX decoding, as captures; the same bytes are built in the unit tests."""

from __future__ import annotations

from typing import Any

import pytest

from captures import ROOT
from millrace.decode import Counts, Decoder
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


def test_02_flows_that_name_no_sampler_beside_others_that_do() -> None:
    rows, _ = decoded("02-unsampled-beside-sampled")
    assert [row["SamplingRate"] for row in rows] == [1000, None, None]


def test_10_a_datagram_filled_with_zeros() -> None:
    rows, counts = decoded("10-v9-padded-datagram")
    assert (len(rows), dict(counts.drops)) == (2, {})


@pytest.mark.parametrize("name", ["12-options-length-odd", "13b-sound-after-odd"])
def test_12_and_13b_options_of_an_odd_length(name: str) -> None:
    rows, counts = decoded(name)
    assert ([row["ApplicationName"] for row in rows], dict(counts.drops)) == (["dns"], {})


def test_14_two_exporters_behind_one_address() -> None:
    rows, counts = decoded("14-nat-same-domain-v9")
    assert ([row["Bytes"] for row in rows], dict(counts.drops)) == ([1500, 9000, 1500, 1500, 9000, 9000], {})


def test_31_flow_sampling() -> None:
    rows, _ = decoded("31-flow-sampling-systematic")
    assert [row["SamplingRate"] for row in rows] == [100]
