"""Ports and domains of one exporter: what comes in its name does not keep it from its own."""

from __future__ import annotations

from millrace.decode import Decoder, Limits
from millrace.testing.netflow import (
    EXPORT_S,
    IPFIX,
    LegacyRecord,
    Template,
    ipfix,
    options_template_set,
    template_set,
    v5,
)
from unit.decode.netflow.flooding import (
    HONEST,
    OWN,
    RATE,
    announce,
    served,
    trusted,
)


def test_templates_and_options_from_other_ports_than_its_own_are_refused(make):
    collector = make()
    collector.decoder = Decoder(collector.schema, trust=trusted)
    told = ipfix(
        template_set(IPFIX, OWN[0]), options_template_set(IPFIX, RATE), RATE.data((0, 100)), OWN[0].data((1, b""))
    )
    (flow,) = collector.send(told, port=2055)
    assert flow["SamplingRate"] == 100
    lie = ipfix(
        template_set(IPFIX, Template(300, [(1, 3), (210, 1)])), options_template_set(IPFIX, RATE), RATE.data((0, 9999)),
        OWN[0].data((2, b"")),
    )  # fmt: skip
    (flow,) = collector.send(lie, port=9999)
    assert (flow["SrcPort"], flow["SamplingRate"]) == (2, 100)
    (flow,) = collector.send(ipfix(OWN[0].data((3, b""))), port=2056)
    assert (flow["SrcPort"], flow["SamplingRate"]) == (3, 100)
    assert collector.drops == {("set", "untrusted-port"): 2, ("record", "untrusted-port"): 1}


def test_options_that_waited_are_those_of_the_port_that_sent_them(make):
    """Sent before their template was known, which the device's own port announces later."""
    collector = make()
    collector.decoder = Decoder(collector.schema, trust=trusted)
    announce(collector, [OWN[0]], port=2055)
    collector.send(ipfix(RATE.data((0, 9999))), port=9999)
    collector.send(ipfix(options_template_set(IPFIX, RATE)), port=2055)
    (flow,) = collector.send(ipfix(OWN[0].data((2, b""))), port=2055)
    assert "SamplingRate" not in flow
    assert collector.drops == {("record", "untrusted-port"): 1}


def test_its_own_port_has_a_place_whatever_ports_are_forged(make):
    collector = make()
    collector.decoder = Decoder(collector.schema, Limits(ports_per_exporter=8), trust=trusted)
    for port in range(3000, 3100):
        collector.send(ipfix(template_set(IPFIX, OWN[0])), port=port)
    assert served(collector, port=2055) == 0
    announce(collector, port=2055)
    assert collector.event("sets_released") == len(OWN)
    assert served(collector, port=2055) == len(OWN)


def test_domains_that_send_nothing_do_not_keep_new_ones_of_their_exporter_out(make):
    """A device that numbers its domain anew at each start; or somebody who writes its address."""
    collector = make(Limits(domains_per_exporter=32))
    told, data = ipfix(template_set(IPFIX, OWN[0]), domain=7), ipfix(OWN[0].data((1, b"")), domain=7)
    assert len(collector.send(told, data, source=HONEST)) == 1
    for domain in range(100, 300):
        collector.send(ipfix(template_set(IPFIX, OWN[0]), domain=domain), source=HONEST, at_s=EXPORT_S + domain)
    new = ipfix(template_set(IPFIX, OWN[0]), OWN[0].data((2, b"")), domain=1000)
    assert len(collector.send(new, source=HONEST, at_s=EXPORT_S + 301)) == 1
    # What sends flows stays.
    assert len(collector.send(data, source=HONEST, at_s=EXPORT_S + 302)) == 1
    (status,) = collector.decoder.exporters()
    assert len(status.domains) <= 32
    assert not collector.drops.get(("set", "exporter-limit"))


def test_domains_that_send_flows_make_room_for_no_others_until_they_are_silent_for_an_hour(make):
    collector = make(Limits(domains_per_exporter=16))
    messages = [ipfix(template_set(IPFIX, OWN[0]), OWN[0].data((d + 1, b"")), domain=d) for d in range(40)]
    assert len(collector.send(*messages[:16], source=HONEST)) == 16
    for domain in range(16, 24):
        assert collector.send(messages[domain], source=HONEST, at_s=EXPORT_S + domain) == []
    assert len(collector.send(*messages[:8], source=HONEST, at_s=EXPORT_S + 3500)) == 8
    for domain in range(24, 40):
        collector.send(messages[domain], source=HONEST, at_s=EXPORT_S + 3700 + domain * 2)
    data = [ipfix(OWN[0].data((d + 1, b"")), domain=d) for d in range(8)]
    assert len(collector.send(*data, source=HONEST, at_s=EXPORT_S + 3800)) == 8


def test_domains_from_other_ports_make_room_for_those_of_its_own_port(make):
    collector = make()
    collector.decoder = Decoder(collector.schema, Limits(domains_per_exporter=16), trust=trusted)
    # NetFlow v5 has flows without templates, from any port.
    for engine in range(40):
        collector.send(v5(LegacyRecord(), engine_id=engine), port=9999, at_s=EXPORT_S + engine)
    message = ipfix(template_set(IPFIX, OWN[0]), OWN[0].data((1, b"")), domain=5)
    assert len(collector.send(message, port=2055, at_s=EXPORT_S + 50)) == 1
    for engine in range(40, 80):
        collector.send(v5(LegacyRecord(), engine_id=engine), port=9999, at_s=EXPORT_S + 50 + engine)
    assert len(collector.send(ipfix(OWN[0].data((1, b"")), domain=5), port=2055, at_s=EXPORT_S + 200)) == 1
