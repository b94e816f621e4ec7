"""Exporter and interface columns from static metadata."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from millrace.batch import Coded, FlowBatch, address_bytes
from millrace.enrich import Enricher, Exporter, Interface, StaticMetadata
from millrace.schema import Schema

SCHEMA = Schema()

METADATA = StaticMetadata(
    [
        Exporter("192.0.2.0/24", name="net", group="all", site="par"),
        Exporter(
            "192.0.2.7",
            name="edge7",
            site="ams",
            tenant="acme",
            default_sampling_rate=1000,
            interfaces={
                1: Interface("xe-0/0/0", "Transit: Cogent", 10_000, "cogent", "transit", "external"),
                4_000_000_000: Interface("ae0", boundary="internal"),
            },
            default_interface=Interface("other", speed_mbps=100),
        ),
        Exporter("2001:db8::/32", name="v6", sampling_rate=64),
    ]
)


def flows(exporters, *, coded=True, **columns):
    batch = FlowBatch(len(exporters))
    packed = np.frombuffer(b"".join(address_bytes(text) for text in exporters), np.uint8).reshape(-1, 16)
    batch.put("ExporterAddress", Coded(np.arange(len(exporters), dtype=np.int32), packed) if coded else packed)
    for name, values in columns.items():
        batch.put(name, np.asarray(values, SCHEMA[name].kind.dtype))
    return batch


def shown(batch, *names):
    table = batch.to_arrow(SCHEMA)
    columns = [table.column(name).to_pylist() for name in names]
    return columns[0] if len(names) == 1 else list(zip(*columns, strict=True))


@pytest.mark.parametrize("coded", [True, False])
def test_longest_prefix_names_the_exporter(coded):
    batch = Enricher(METADATA).enrich(flows(["192.0.2.1", "192.0.2.7", "2001:db8::1"], coded=coded))
    assert shown(batch, "ExporterName", "ExporterSite", "ExporterTenant") == [
        ("net", "par", ""),
        ("edge7", "ams", "acme"),
        ("v6", "", ""),
    ]


def test_unknown_exporter_is_named_by_its_address_and_its_attributes_are_unknown():
    batch = Enricher(METADATA).enrich(flows(["198.51.100.1", "2001:db9::1", "192.0.2.1"]))
    assert shown(batch, "ExporterName", "ExporterGroup") == [
        ("198.51.100.1", None),
        ("2001:db9::1", None),
        ("net", "all"),
    ]


def test_interfaces_by_index_then_default_then_unknown():
    batch = Enricher(METADATA).enrich(
        flows(["192.0.2.7"] * 4 + ["192.0.2.1"], InIf=[1, 4_000_000_000, 55, 0, 1], OutIf=[55, 1, 1, 1, 1])
    )
    assert shown(batch, "InIfName", "InIfDescription", "InIfProvider", "InIfSpeed", "InIfBoundary") == [
        ("xe-0/0/0", "Transit: Cogent", "cogent", 10_000, "external"),
        ("ae0", "", "", 0, "internal"),
        ("other", "", "", 100, "undefined"),
        (None, None, None, None, None),
        (None, None, None, None, None),
    ]
    assert shown(batch, "OutIfName", "OutIfConnectivity")[:2] == [("other", ""), ("xe-0/0/0", "transit")]


def test_interface_that_is_not_known_in_a_row_is_interface_zero():
    batch = flows(["192.0.2.7", "192.0.2.7"], InIf=[1, 1])
    batch.put("InIf", batch.columns["InIf"], np.array([True, False]))
    assert shown(Enricher(METADATA).enrich(batch), "InIfName") == ["xe-0/0/0", None]


def test_batch_without_interfaces_gets_no_interface_columns():
    assert "InIfName" not in Enricher(METADATA).enrich(flows(["192.0.2.7"])).columns


def test_batch_without_exporters_is_left_alone():
    batch = FlowBatch(3)
    assert Enricher(METADATA).enrich(batch).columns == {}
    empty = flows([], InIf=[])
    assert Enricher(METADATA).enrich(empty).rows == 0


def test_announced_names_fill_what_is_not_configured():
    names = {
        (address_bytes("192.0.2.7"), 1): ("announced", "announced"),
        (address_bytes("192.0.2.7"), 4_000_000_000): ("announced", "LAG"),
        (address_bytes("192.0.2.7"), 9): ("xe-9", ""),
        (address_bytes("203.0.113.1"), 3): ("Gi3", "to the lab"),
    }
    enricher = Enricher(METADATA).with_names(names)
    batch = enricher.enrich(
        flows(["192.0.2.7"] * 3 + ["203.0.113.1", "192.0.2.8"], InIf=[1, 4_000_000_000, 9, 3, 3], OutIf=[0] * 5)
    )
    assert shown(batch, "InIfName", "InIfDescription") == [
        ("xe-0/0/0", "Transit: Cogent"),
        ("ae0", "LAG"),
        ("other", ""),
        ("Gi3", "to the lab"),
        (None, None),
    ]
    assert shown(batch, "ExporterName")[3] == "203.0.113.1"


def test_default_rate_is_used_only_where_the_rate_is_unknown():
    batch = flows(["192.0.2.7", "192.0.2.7", "192.0.2.1"], SamplingRate=[1, 50, 1], SamplingRateSource=[0, 1, 0])
    assert shown(Enricher(METADATA).enrich(batch), "SamplingRate", "SamplingRateSource") == [
        (1000, "configured"),
        (50, "record"),
        (1, "unknown"),
    ]


def test_configured_rate_wins_over_the_exporters():
    batch = flows(["2001:db8::1", "192.0.2.1"], SamplingRate=[7, 7], SamplingRateSource=[2, 2])
    assert shown(Enricher(METADATA).enrich(batch), "SamplingRate", "SamplingRateSource") == [
        (64, "configured"),
        (7, "options"),
    ]


def test_rate_of_a_batch_that_has_no_sampling_columns():
    batch = Enricher(METADATA).enrich(flows(["192.0.2.7", "192.0.2.1"]))
    assert shown(batch, "SamplingRate", "SamplingRateSource") == [(1000, "configured"), (1, "unknown")]


def test_input_is_not_modified():
    batch = flows(["192.0.2.7"], SamplingRate=[1], SamplingRateSource=[0], InIf=[1])
    before = {name: np.array(values) for name, values in batch.columns.items() if isinstance(values, np.ndarray)}
    Enricher(METADATA).enrich(batch)
    assert set(batch.columns) == {"ExporterAddress", "SamplingRate", "SamplingRateSource", "InIf"}
    assert all((batch.columns[name] == values).all() for name, values in before.items())


def test_dictionary_holds_only_what_the_batch_uses():
    many = {index: Interface(f"if{index}") for index in range(1, 1000)}
    enricher = Enricher(StaticMetadata([Exporter("192.0.2.0/24", interfaces=many)]))
    column = enricher.enrich(flows(["192.0.2.1", "192.0.2.2"], InIf=[5, 900])).columns["InIfName"]
    assert set(column.values) == {"192.0.2.1", "192.0.2.2", "if5", "if900", ""}


def test_exporter_flood_keeps_the_memory_bounded(monkeypatch):
    monkeypatch.setattr("millrace.enrich.enricher.MAX_REMEMBERED", 10)
    enricher = Enricher(METADATA)
    for i in range(5):
        batch = enricher.enrich(flows([f"10.0.{i}.{j}" for j in range(8)]))
        assert shown(batch, "ExporterName")[0] == f"10.0.{i}.0"
    assert len(enricher._remembered) <= 10


ADDRESSES = ("192.0.2.1", "192.0.2.7", "2001:db8::1", "198.51.100.1")
NAMES = {(address_bytes("192.0.2.1"), 3): ("Gi3", "d"), (address_bytes("198.51.100.1"), 1): ("eth1", "")}


def interface_by_hand(address, index):
    """What a look-up of one flow gives: configured, else announced, else the default."""
    exporter = METADATA.exporters[METADATA.find(address_bytes(address))]
    known = exporter.interfaces.get(index) or (exporter.default_interface if index else None)
    name, description = NAMES.get((address_bytes(address), index), ("", ""))
    if known is None and not name and not description:
        return None, None
    known = known or Interface()
    return known.name or name, known.description or description


@given(
    st.lists(st.tuples(st.sampled_from(ADDRESSES), st.sampled_from([0, 1, 3, 55, 2**32 - 1])), min_size=1, max_size=40),
    st.integers(0, 40),
)
def test_every_row_is_what_a_look_up_by_hand_gives_and_splitting_changes_nothing(rows, cut):
    enricher = Enricher(METADATA, NAMES)

    def enriched(part):
        return shown(
            enricher.enrich(flows([a for a, _ in part], coded=False, InIf=[i for _, i in part])),
            "InIfName", "InIfDescription", "ExporterName",
        )  # fmt: skip

    whole = enriched(rows)
    assert [row[:2] for row in whole] == [interface_by_hand(address, index) for address, index in rows]
    halves = [enriched(part) for part in (rows[:cut], rows[cut:]) if part]
    assert [row for half in halves for row in half] == whole
