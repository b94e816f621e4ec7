"""What the configuration tells of addresses reaches the flows."""

import numpy as np

from millrace.app.application import Application
from millrace.app.settings import Settings
from millrace.batch import Coded, FlowBatch, address_bytes
from millrace.schema import Schema


def test_networks_and_as_names_of_the_configuration_fill_columns(tmp_path):
    settings = Settings.model_validate(
        {
            "data": tmp_path,
            "networks": {"192.0.2.0/24": {"name": "lab", "country": "NL", "asn": 64500}},
            "as_names": {64500: "Our lab"},
        }
    )
    flows = FlowBatch(2)
    packed = address_bytes("192.0.2.1") + address_bytes("198.51.100.1")
    flows.put("SrcAddr", np.frombuffer(packed, np.uint8).reshape(-1, 16))
    flows.put("SrcAS", np.array([0, 15169], np.uint32))
    table = Application(settings).enrich(flows).to_arrow(Schema())
    assert table.column("SrcNetName").to_pylist() == ["lab", None]
    assert table.column("SrcCountry").to_pylist() == ["NL", None]
    assert table.column("SrcASName").to_pylist() == ["Our lab", "Google"]


def test_implausible_flows_are_counted_in_the_metrics(tmp_path):
    application = Application(Settings.model_validate({"data": tmp_path}))
    flows = FlowBatch(2)
    flows.put(
        "ExporterAddress", Coded(np.zeros(2, np.int32), np.frombuffer(address_bytes("192.0.2.1"), np.uint8)[None])
    )
    flows.put("Bytes", np.array([65_536, 65_535], np.uint64))
    flows.put("Packets", np.ones(2, np.uint64))
    application.pipeline.counts.add_marked(application.enrich(flows), 1)
    text = application.metrics.render()[0].decode()
    assert 'millrace_enrich_implausible_flows_total{exporter="192.0.2.1",reason="packet-size"} 1.0' in text
