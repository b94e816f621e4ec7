"""The demo's configuration fits the demo's traffic."""

from collections import Counter

import numpy as np
import pytest

from millrace.batch import FlowBatch
from millrace.config import ExporterSettings, NetworkSettings, static_metadata, static_networks
from millrace.decode import Decoder
from millrace.enrich import ASNames, Enricher
from millrace.generate import (
    ExporterStream,
    Traffic,
    default_model,
    demo_as_names,
    demo_metadata,
    demo_networks,
)
from millrace.generate.traffic import of_exporter
from millrace.schema import Schema

SCHEMA = Schema()
EVENING = 1_763_060_400_000
MODEL = default_model()


def drawn(rows=40_000):
    return Traffic(MODEL).draw(np.random.default_rng(0), EVENING, EVENING + 3_600_000, rows)


def enricher():
    exporters = {key: ExporterSettings.model_validate(value) for key, value in demo_metadata(MODEL).items()}
    networks = {key: NetworkSettings.model_validate(value) for key, value in demo_networks(MODEL).items()}
    fillers = (static_networks(networks).fill, ASNames(demo_as_names(MODEL)).fill)
    return Enricher(static_metadata(exporters), fillers=fillers)


@pytest.fixture(scope="module")
def table():
    return enricher().enrich(drawn()).to_arrow(SCHEMA).to_pandas()


def external(table):
    return table[table.InIfBoundary == "external"]


def test_cogent_brings_traffic_of_several_networks(table):
    found = external(table)[external(table).InIfProvider == "cogent"]
    assert found.SrcAS.nunique() >= 10


def test_google_and_youtube_are_sources_in_both_families(table):
    for number in (15169, 36040):
        found = external(table)[external(table).SrcAS == number]
        assert set(found.EType) == {0x0800, 0x86DD}


def test_names_and_countries_of_both_ends_are_known(table):
    for name in ("SrcASName", "DstASName", "SrcCountry", "DstCountry", "ExporterTenant"):
        assert (table[name].notna() & (table[name] != "")).all(), name
    assert table.SrcCountry.nunique() > 10
    assert {"acme", "globex", "corporate"} <= set(table.SrcNetTenant.dropna())


def test_applications_are_told_by_the_routers_that_speak_ipfix(table):
    told = table[table.ApplicationName.notna()]
    assert set(told.FlowProtocol) == {"ipfix"}
    assert len(told) == (table.FlowProtocol == "ipfix").sum()
    assert {"https", "quic", "dns"} <= set(told.ApplicationName)


@pytest.mark.parametrize("index", range(len(MODEL.exporters)))
def test_live_flows_and_history_know_sampling_and_applications_alike(index):
    exporter, flows = MODEL.exporters[index], of_exporter(drawn(4000), index)
    time_ns = (EVENING + 3_600_000) * 1_000_000
    stream = ExporterStream(exporter, local_as=MODEL.local_as, start_ns=time_ns)
    batch = stream.encode(flows, time_ns).batch(exporter.address, time_ns=time_ns)
    live = enricher().enrich(Decoder(SCHEMA).decode(batch).flows)
    assert summary(live) == summary(enricher().enrich(flows))


def summary(flows: FlowBatch):
    names = ("SamplingRate", "SamplingRateSource", "ExporterName", "ApplicationName")
    table = flows.to_arrow(SCHEMA)
    columns = [[value or "" for value in table.column(name).to_pylist()] for name in names]
    return Counter(zip(*columns, strict=True))
