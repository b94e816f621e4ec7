"""What options tell beside sampling: applications and interfaces; snapshots of it all."""

from __future__ import annotations

import json
import random

import pytest

from millrace.batch import address_bytes
from millrace.decode import Limits
from millrace.testing.netflow import (
    EXPORT_S,
    IPFIX,
    V9,
    VARIABLE,
    LegacyRecord,
    Template,
    ipfix,
    message,
    options_template_set,
    template_set,
    v5,
    v9,
)

BOTH = pytest.mark.parametrize("version", [V9, IPFIX])
SYSTEM = {V9: (1, 4), IPFIX: (149, 4)}
FLOWS = Template(256, [(7, 2), (95, 4)])
HTTP, DNS = 0x03000050, 0x03000035


def applications(version, *names):
    options = Template(300, [SYSTEM[version], (95, 4), (96, 24), (94, 55)], scopes=1)
    return options_template_set(version, options) + options.data(*((0, ident, name, "") for ident, name in names))


@BOTH
def test_application_names_come_from_options(collector, version):
    flows = collector.send(
        message(
            version, applications(version, (HTTP, "http"), (DNS, "dns")), template_set(version, FLOWS),
            FLOWS.data((1, DNS), (2, HTTP), (3, 99)),
        )
    )  # fmt: skip
    assert [flow.get("ApplicationName") for flow in flows] == ["dns", "http", None]


def test_the_application_as_scope_and_names_of_variable_length(collector):
    options = Template(300, [(95, 4), (96, VARIABLE)], scopes=1)
    (flow,) = collector.send(
        ipfix(
            options_template_set(IPFIX, options),
            options.data((HTTP, "http")),
            template_set(IPFIX, FLOWS),
            FLOWS.data((1, HTTP)),
        )
    )
    assert flow["ApplicationName"] == "http"


def test_a_changed_name_holds_from_there_on_and_exporters_have_their_own(collector):
    collector.send(v9(template_set(V9, FLOWS), applications(V9, (HTTP, "http"))))
    collector.send(v9(template_set(V9, FLOWS), applications(V9, (HTTP, "other"))), source="192.0.2.9")
    flows = collector.send(
        v9(FLOWS.data((1, HTTP))), v9(applications(V9, (HTTP, "web"))), v9(FLOWS.data((2, HTTP)), domain=0)
    )
    assert [flow["ApplicationName"] for flow in flows] == ["http", "web"]


@pytest.mark.parametrize(
    ("version", "options"),
    [
        (V9, Template(300, [(2, 4), (82, 16), (83, 32)], scopes=1)),
        (V9, Template(300, [(1, 4), (10, 4), (82, 16), (83, 32)], scopes=1)),
        (IPFIX, Template(300, [(10, 4), (82, VARIABLE), (83, VARIABLE)], scopes=1)),
        (IPFIX, Template(300, [(14, 4), (82, 16), (83, 32)], scopes=1)),
    ],
)
def test_interface_names_are_kept_for_enrichment(collector, version, options):
    values = (7, "Gi0/0/7", "uplink") if len(options.fields) == 3 else (0, 7, "Gi0/0/7", "uplink")
    collector.send(message(version, options_template_set(version, options), options.data(values)))
    assert collector.decoder.interface_names() == {(address_bytes("192.0.2.1"), 7): ("Gi0/0/7", "uplink")}
    assert collector.decoder.exporters()[0].interfaces == 1


def test_names_are_bounded_per_exporter(make):
    collector = make(Limits(options_entries_per_exporter=10))
    collector.send(v9(applications(V9, *((n, f"app{n}") for n in range(1, 31)))))
    assert collector.decoder.exporters()[0].applications == 10
    assert collector.drops == {("record", "options-limit"): 20}


def fill(collector):
    boot = Template(301, [(149, 4), (160, 8)], scopes=1)
    interfaces = Template(302, [(10, 4), (82, 8)], scopes=1)
    samplers = Template(303, [(149, 4), (302, 8), (34, 4)], scopes=1)
    collector.send(
        ipfix(
            template_set(IPFIX, FLOWS, Template(257, [(22, 4), (302, 8), (5, 4, 2636), (96, VARIABLE)])),
            applications(IPFIX, (HTTP, "http")),
            options_template_set(IPFIX, boot, interfaces, samplers),
            boot.data((0, EXPORT_S * 1000 - 50_000)), interfaces.data((3, "eth3")),
            samplers.data((0, 1, 64), (0, 2, 128)),
            domain=9,
        ),
        v9(template_set(V9, Template(256, [(7, 2), (33000, 12)]))),
        v5(LegacyRecord()),
    )  # fmt: skip


def test_a_snapshot_survives_json_and_decoding_goes_on_at_once(collector, make):
    fill(collector)
    restored = make()
    restored.decoder.restore(json.loads(json.dumps(collector.decoder.snapshot())))
    late = Template(257, [(22, 4), (302, 8), (5, 4, 2636), (96, VARIABLE)])
    app, timed = restored.send(ipfix(FLOWS.data((1, HTTP)), late.data((40_000, 2, 0, "x")), domain=9))
    # Flows of the other template name selectors, so those of this one were not selected.
    assert (app["ApplicationName"], app.get("SamplingRate")) == ("http", None)
    assert (timed["TimeFlowStart"], timed["SamplingRate"]) == (EXPORT_S * 1000 - 10_000, 128)
    assert len(restored.send(v9(Template(256, [(7, 2), (33000, 12)]).data((1, b""))))) == 1
    assert restored.decoder.interface_names() == collector.decoder.interface_names()
    assert restored.decoder.snapshot()["templates"] == collector.decoder.snapshot()["templates"]


@pytest.mark.parametrize(
    "junk", [None, 5, "x", [], {}, {"exporter": "nonsense"}, {"exporter": "192.0.2.1", "version": 5}]
)
@pytest.mark.parametrize("part", ["exporters", "templates", "sampling", "applications", "interfaces", "starts"])
def test_wrong_entries_of_a_snapshot_are_skipped(collector, make, junk, part):
    fill(collector)
    snapshot = collector.decoder.snapshot()
    snapshot[part] = [junk, *snapshot[part], junk]
    restored = make()
    restored.decoder.restore(snapshot)
    assert restored.decoder.snapshot()["templates"] == collector.decoder.snapshot()["templates"]


@pytest.mark.parametrize(
    "change",
    [
        {"fields": "00"}, {"fields": "zz"}, {"fields": ""}, {"fields": "8001000400"}, {"id": 5}, {"id": -1},
        {"domain": 1 << 32},
        {"scopes": 99}, {"announced_ns": "soon"}, {"fields": None}, {"version": True}, {"fields": "00070000"},
    ],
)  # fmt: skip
def test_wrong_templates_of_a_snapshot_are_skipped(collector, make, change):
    fill(collector)
    snapshot = collector.decoder.snapshot()
    snapshot["templates"] = [{**snapshot["templates"][0], **change}]
    restored = make()
    restored.decoder.restore(snapshot)
    assert restored.decoder.snapshot()["templates"] == []


@pytest.mark.parametrize("state", [{}, {"format": 99, "templates": []}, {"format": 1, "templates": "no"}])
def test_a_snapshot_of_another_kind_is_ignored_and_that_is_said(collector, state):
    assert collector.decoder.restore(state) is (state.get("format") == 1)
    assert collector.decoder.exporters() == []


def test_status_of_an_exporter(collector):
    collector.send(ipfix(template_set(IPFIX, FLOWS), domain=4, export_s=EXPORT_S + 2), at_s=EXPORT_S)
    collector.send(ipfix(FLOWS.data((1, 1)), b"junk", domain=4, export_s=EXPORT_S + 12), at_s=EXPORT_S + 10)
    (status,) = collector.decoder.exporters()
    assert status.address == address_bytes("192.0.2.1")
    assert status.protocols == ("ipfix",)
    assert status.clock_skew_s == 2.0
    assert status.last_seen_ns == (EXPORT_S + 10) * 1_000_000_000
    (template,) = status.templates
    assert (template.domain, template.id, template.options, template.fields) == (4, 256, False, ((7, 0, 2), (95, 0, 4)))
    assert template.age_s == 10
    assert "reserved" in status.last_issue or "truncated" in status.last_issue


def test_names_that_come_and_go_in_a_batch_are_those_of_their_moment(collector):
    """Numbers of texts that nothing has any more are given to others: never while something has them."""
    rng, known = random.Random(5), {}
    collector.send(ipfix(applications(IPFIX), template_set(IPFIX, FLOWS)))
    for _ in range(200):
        payloads, expected = [], []
        for _ in range(rng.randint(1, 6)):
            ident = rng.randint(1, 4)
            if rng.random() < 0.6:
                known[ident] = f"app{rng.randint(0, 9)}"
                payloads.append(ipfix(applications(IPFIX, (ident, known[ident]))))
            else:
                payloads.append(ipfix(FLOWS.data((1, ident))))
                expected.append(known.get(ident))
        assert [flow.get("ApplicationName") for flow in collector.send(*payloads)] == expected
