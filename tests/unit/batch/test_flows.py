"""FlowBatch: joining, taking and rendering to Arrow keep values and what is unknown."""

import sys
from dataclasses import replace

import numpy as np
import pytest

from millrace.batch import Coded, FlowBatch, Lists, address_bytes, map_ipv4
from millrace.errors import SchemaError, ShapeError
from millrace.schema import Schema

SCHEMA = Schema()


def _batch(addresses, **columns):
    batch = FlowBatch(len(addresses))
    batch.put("SrcAddr", np.frombuffer(b"".join(map(address_bytes, addresses)), np.uint8).reshape(-1, 16))
    for name, values in columns.items():
        batch.put(name, values)
    return batch


def test_a_column_that_one_part_lacks_is_unknown_in_its_rows():
    first = _batch(["192.0.2.1"], Bytes=np.array([7], np.uint64))
    second = _batch(["2001:db8::1"])
    joined = FlowBatch.concat([first, second], SCHEMA)
    table = joined.to_arrow(SCHEMA, missing=False)
    assert table["Bytes"].to_pylist() == [7, None]
    assert table["SrcAddr"].to_pylist() == [address_bytes("192.0.2.1"), address_bytes("2001:db8::1")]


def test_texts_share_one_dictionary_after_joining():
    one = _batch(["192.0.2.1"] * 2, ExporterName=Coded(np.array([1, 0], np.int32), ["b", "a"]))
    two = _batch(["192.0.2.2"], ExporterName=Coded(np.array([1], np.int32), ["c", "b"]))
    joined = FlowBatch.concat([one, two], SCHEMA)
    assert joined.to_arrow(SCHEMA, missing=False)["ExporterName"].to_pylist() == ["a", "b", "b"]


def test_coded_addresses_stay_coded_and_equal():
    addresses = np.frombuffer(address_bytes("192.0.2.9") + address_bytes("2001:db8::9"), np.uint8).reshape(2, 16)
    one = _batch(["192.0.2.1"], ExporterAddress=Coded(np.array([1], np.int32), addresses))
    two = _batch(["192.0.2.2"], ExporterAddress=Coded(np.array([0], np.int32), addresses))
    joined = FlowBatch.concat([one, two], SCHEMA)
    assert isinstance(joined.columns["ExporterAddress"], Coded)
    assert joined.to_arrow(SCHEMA, missing=False)["ExporterAddress"].to_pylist() == [
        address_bytes("2001:db8::9"),
        address_bytes("192.0.2.9"),
    ]


def test_lists_are_joined_and_taken_by_row():
    one = _batch(["192.0.2.1"] * 2)
    one.put("DstASPath", Lists(np.array([0, 2, 2], np.int32), np.array([1, 2], np.uint32)), np.array([True, False]))
    two = _batch(["192.0.2.2"])
    joined = FlowBatch.concat([one, two, one], SCHEMA)
    assert joined.to_arrow(SCHEMA, missing=False)["DstASPath"].to_pylist() == [[1, 2], None, None, [1, 2], None]
    taken = joined.take(np.array([3, 0]))
    assert taken.to_arrow(SCHEMA, missing=False)["DstASPath"].to_pylist() == [[1, 2], [1, 2]]


def test_wire_order_can_be_restored():
    batch = _batch(["192.0.2.1", "192.0.2.2", "192.0.2.3"])
    batch.datagram = np.array([2, 0, 1], np.int32)
    ordered = batch.ordered()
    assert [row[-1] for row in ordered.columns["SrcAddr"]] == [2, 3, 1]


def test_a_column_of_another_length_is_refused():
    with pytest.raises(ShapeError, match="'Bytes' has 1 values for 2 rows"):
        FlowBatch(2).put("Bytes", np.zeros(1, np.uint64))


def test_every_kind_of_column_renders_to_its_arrow_type_when_absent():
    table = FlowBatch(3).to_arrow(SCHEMA)
    assert table.schema.equals(SCHEMA.arrow)
    assert all(table[name].null_count == 3 for name in SCHEMA.names)


def test_ipv4_is_mapped_into_ipv6():
    words = np.frombuffer(bytes([192, 0, 2, 1]), ">u4")
    assert map_ipv4(words)[0].tobytes() == address_bytes("192.0.2.1")


def test_an_unknown_column_suggests_the_nearest():
    with pytest.raises(SchemaError, match="did you mean 'SrcAS'"):
        SCHEMA["SrcAsn"]


def test_bytes_of_a_batch_are_what_it_keeps_in_memory():
    batch = FlowBatch(10)
    assert batch.nbytes == 0
    batch.put("Bytes", np.ones(10, np.uint64))
    assert batch.nbytes == 80
    # A view keeps the whole; two views keep it once.
    whole = np.zeros(1000, np.uint32)
    batch.put("SrcAS", whole[:10])
    batch.put("DstAS", whole[10:20])
    assert batch.nbytes == 80 + 4000
    batch.datagram = np.zeros(10, np.int32)
    assert batch.nbytes == 80 + 4000 + 40
    names = [f"name {number} " * 10 for number in range(100)]
    codes = np.zeros(10, np.int32)
    batch.put("InIfName", Coded(codes, names))
    batch.put("OutIfName", Coded(codes, names))
    texts = sum(map(sys.getsizeof, names)) + sys.getsizeof(names)
    assert batch.nbytes == 80 + 4000 + 40 + 40 + texts
    batch.put("ExporterAddress", Coded(codes, np.zeros((7, 16), np.uint8)), np.ones(10, np.bool_))
    assert batch.nbytes == 80 + 4000 + 40 + 40 + texts + 112 + 10


def test_bytes_of_decoded_and_enriched_batches_are_what_they_keep_in_memory():
    import tracemalloc

    from millrace.decode import Decoder
    from millrace.enrich import Enricher, StaticMetadata
    from millrace.generate import LoadPool

    pool = LoadPool("netflow-v9", datagrams=200)
    decoder, enricher = Decoder(SCHEMA), Enricher(StaticMetadata())
    announced = pool.preamble(1_700_000_000_000_000_000)
    routers = [f"10.0.{number}.1" for number in range(200)]
    for router in routers:
        decoder.decode(announced.batch(router))
    source = np.frombuffer(b"".join(map(address_bytes, routers)), np.uint8).reshape(-1, 16)
    datagrams = replace(pool.take(200, 1_700_000_000_000_000_000).batch("192.0.2.1"), source=source)
    tracemalloc.start()
    try:
        # What the decoder keeps of these exporters is its own, and is kept anew with every batch.
        enricher.enrich(decoder.decode(datagrams).flows)
        before = tracemalloc.get_traced_memory()[0]
        kept = [enricher.enrich(decoder.decode(datagrams).flows) for _ in range(5)]
        held = tracemalloc.get_traced_memory()[0] - before
    finally:
        tracemalloc.stop()
    assert sum(map(len, kept)) == 5 * 200 * pool.per_datagram
    told = sum(batch.nbytes for batch in kept)
    assert held <= told * 1.02
    assert told <= held * 1.25
