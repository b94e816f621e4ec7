"""A filter on a batch, by examples."""

import numpy as np
import pytest

from millrace.batch import Coded, FlowBatch, Lists, map_ipv4
from millrace.lang import mask, parse


@pytest.fixture
def batch():
    flows = FlowBatch(4)
    flows.put("SrcAS", np.array([1, 2, 3, 0], np.uint32), np.array([True, True, True, False]))
    flows.put("DstAS", np.array([1, 1, 4, 0], np.uint32))
    flows.put("SrcAddr", map_ipv4(np.array([0x0A000001, 0x0A0000FF, 0xC0000201, 0], ">u4")))
    flows.put("InIfName", Coded(np.array([0, 1, 1, 2], np.int32), ["eth0", "ETH1", "", "unused"]))
    flows.put("OutIfName", Coded(np.array([1, 0, 1, 1], np.int32), ["ETH1", "eth0"]))
    flows.put("InIfBoundary", np.array([0, 1, 2, 1], np.uint8))
    flows.put("DstASPath", Lists(np.array([0, 2, 2, 3, 4], np.int32), np.array([174, 1, 174, 3356], np.uint32)))
    flows.put("TimeFlowStart", np.array([0, 0, 0, 0], np.int64))
    flows.put("TimeFlowEnd", np.array([0, 90_000, 90_001, 100_000], np.int64))
    return flows


@pytest.mark.parametrize(
    ("text", "rows"),
    [
        ("", [0, 1, 2, 3]),
        ("SrcAS = 1", [0]),
        ("SrcAS != 1", [1, 2, 3]),
        ("SrcAS = 0", [3]),
        ("SrcAS IN (1, 3-9)", [0, 2]),
        ("SrcAS NOT IN (1, 3-9)", [1, 3]),
        ("SrcAS = DstAS", [0, 3]),
        ("SrcAS > DstAS", [1]),
        ("SrcAddr << 10.0.0.0/8", [0, 1]),
        ("SrcAddr IN (10.0.0.255, 192.0.2.0/24)", [1, 2]),
        ("SrcAddr > 10.0.0.1", [1, 2]),
        ('InIfName LIKE "eth_"', [0]),
        ('InIfName ILIKE "eth_"', [0, 1, 2]),
        ('InIfName ~ "[0-9]$"', [0, 1, 2]),
        ('InIfName = ""', [3]),
        ("InIfName = OutIfName", [0, 1]),
        ("InIfBoundary = external", [1, 3]),
        ("DstASPath = AS174", [0, 2]),
        ("DstASPath != AS174", [1, 3]),
        ("TimeFlowEnd > TimeFlowStart + 90s", [2, 3]),
        ("SamplingRate = 1", [0, 1, 2, 3]),
        ("OutIfBoundary = undefined AND SrcCountry = '' AND DstAddr = ::", [0, 1, 2, 3]),
        ("DstCommunities = 1:1", []),
        ("NOT SrcAS = 1 AND (InIfBoundary = external OR DstAS = 4)", [1, 2, 3]),
    ],
)
def test_rows(schema, batch, text, rows):
    assert np.flatnonzero(mask(parse(text, schema), batch, schema)).tolist() == rows


def test_an_empty_batch(schema):
    assert mask(parse("SrcAS = 1 OR InIfName = OutIfName", schema), FlowBatch(0), schema).shape == (0,)


def test_inputs_are_not_modified(schema, batch):
    before = batch.take(np.arange(4))
    mask(parse("SrcAS = 1 OR SrcAddr << ::/0 OR InIfName = 'a'", schema), batch, schema)
    assert all(np.array_equal(batch.columns[name], before.columns[name]) for name in ("SrcAS", "SrcAddr", "DstAS"))
