"""One flow with all of its columns."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from millrace.errors import QueryError
from millrace.lang import parse
from millrace.query import Asking, QueryEngine, SearchQuestion, Table

from .stored_flows import BASE, SCHEMA, flow

NOW = BASE + 7200.0
ASKING = Asking(NOW)


def ids_of(engine, columns=("SrcPort",)):
    page = engine.search(SearchQuestion(last_seconds=10_000, columns=list(columns)), ASKING)
    return {row[columns[0]]: flow_id for row, flow_id in zip(page.flows, page.ids, strict=True)}


def test_record_has_every_column(store, engine):
    store.insert([flow(1, SrcPort=1), flow(1, SrcPort=2, DstASPath=[1, 2], FlowDirection="egress", SrcMAC=1)])
    record = engine.record(ids_of(engine)[2], ASKING)
    assert list(record.columns) == list(SCHEMA.names)
    shown = {name: record.columns[name] for name in ("SrcPort", "DstASPath", "FlowDirection", "SrcMAC", "SrcAddr")}
    assert shown == {
        "SrcPort": 2,
        "DstASPath": [1, 2],
        "FlowDirection": "egress",
        "SrcMAC": "00:00:00:00:00:01",
        "SrcAddr": "198.51.100.1",
    }


def test_what_is_known_by_name_is_told(store, engine):
    store.insert([flow(1, SrcPort=443, SrcAS=15169, Proto=6, SrcCountry="FR", InIf=7, DstASPath=[15169])])
    labels = engine.record(ids_of(engine)[443], ASKING).labels
    assert labels["SrcPort"] == "443 https"
    assert labels["Proto"] == "TCP"
    assert labels["SrcCountry"] == "France"
    assert labels["DstASPath"] == labels["SrcAS"]
    assert "15169" in labels["SrcAS"]
    assert "InIf" not in labels
    assert "DstPort" not in labels


def test_id_does_not_depend_on_the_columns_that_are_shown(store, engine):
    store.insert([flow(1, SrcPort=5, SrcAS=9)])
    assert list(ids_of(engine).values()) == list(ids_of(engine, ("SrcAS", "Bytes")).values())


def test_record_outside_of_the_scope_is_none(store, engine):
    store.insert([flow(1, SrcPort=1, ExporterTenant="a")])
    (flow_id,) = ids_of(engine).values()
    assert engine.record(flow_id, Asking(NOW, scope=parse("ExporterTenant = 'a'", SCHEMA))) is not None
    assert engine.record(flow_id, Asking(NOW, scope=parse("ExporterTenant = 'b'", SCHEMA))) is None


@pytest.mark.parametrize("flow_id", ["1.2", "999999999999999.18446744073709551615", "1767268801000.0"])
def test_unknown_record_is_none(store, engine, flow_id):
    store.insert([flow(1)])
    assert engine.record(flow_id, ASKING) is None


class _Nothing:
    def query(self, sql, parameters, *, cancel=None, typed=True):
        return SCHEMA.arrow.empty_table()


@given(st.one_of(st.text(max_size=80), st.from_regex(r"[0-9]{0,20}\.[0-9]{0,25}", fullmatch=True)))
def test_strange_ids_are_refused_or_unknown(flow_id):
    engine = QueryEngine(_Nothing(), SCHEMA, lambda: [Table("flows")])
    try:
        assert engine.record(flow_id, ASKING) is None
    except QueryError as error:
        refusal = str(error)
    else:
        return
    assert "id of the flow" in refusal
