"""The document of the API lists the words of closed sets; what exporters make the decoder say is among them."""

import pytest

from millrace.batch import DatagramBatch
from millrace.decode import Decoder, Limits
from millrace.schema import Schema
from millrace.testing.netflow import (
    IPFIX,
    V9,
    LegacyRecord,
    Template,
    message,
    options_template_set,
    template_set,
    v5,
)
from millrace.testing.sflow import datagram, flow_sample

RATED = Template(256, [(7, 2), (34, 4)])
SCOPES = {"domain": (1, 4), "interface": (2, 4), "line-card": (3, 4), "template": (5, 2)}


def options(scope, *fields):
    template = Template(300, [scope, *fields, (34, 4)], scopes=1)
    return message(V9, options_template_set(V9, template) + template.data((*[7] * (1 + len(fields)), 100)))


SENT = {
    **{binding: options(scope) for binding, scope in SCOPES.items()},
    "selector": options((1, 4), (48, 1)),
    "record": message(IPFIX, template_set(IPFIX, RATED), RATED.data((1, 100))),
    "source": datagram([flow_sample([], rate=64)]),
}


@pytest.fixture
def listed(client):
    """Words of a field of a schema."""
    schemas = client.get("/api/v1/openapi.json").json()["components"]["schemas"]
    return lambda schema, field: set(schemas[schema]["properties"][field]["enum"])


@pytest.mark.parametrize("binding", [*SENT, "header"])
def test_what_a_sampling_rate_holds_for_is_listed(listed, binding):
    payload = v5(LegacyRecord(), sampling=0x4064) if binding == "header" else SENT[binding]
    decoder = Decoder(Schema(), Limits())
    decoder.decode(DatagramBatch.from_payloads([payload], source="192.0.2.1", source_port=50000))
    (status,) = decoder.exporters()
    (told,) = status.sampling
    assert told.binding == ("domain" if binding == "header" else binding)
    assert told.binding in listed("SamplingView", "binding")
    assert told.source in listed("SamplingView", "source")
    assert told.protocol in listed("SamplingView", "protocol")


def test_nothing_is_listed_that_cannot_be(listed):
    assert listed("SamplingView", "binding") == set(SENT)
    assert listed("InterfaceView", "boundary") == {"undefined", "external", "internal"}
    columns = [listed("ColumnView", name) for name in ("kind", "display")]
    assert {(column.kind.value, column.display) for column in Schema()} <= {
        (k, d) for k in columns[0] for d in columns[1]
    }
