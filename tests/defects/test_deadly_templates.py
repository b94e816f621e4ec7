"""Templates whose records would have no bytes, and the data that others never stop reading."""

from __future__ import annotations

import struct

import pytest

from effort import Effort
from millrace.batch import DatagramBatch
from millrace.decode.raw import RawDecoder
from millrace.testing.netflow import IPFIX, V9, Template, data_set, message, set_of, template_set, withdrawal_set

NOTHING = struct.pack("!HH", 256, 0)
NO_OPTIONS = {V9: struct.pack("!HHH", 256, 0, 0), IPFIX: struct.pack("!HHH", 256, 0, 0)}
TEMPLATES, OPTIONS = {V9: 0, IPFIX: 2}, {V9: 1, IPFIX: 3}
PORTS = Template(256, [(7, 2), (11, 2)])
BOTH = pytest.mark.parametrize("version", [V9, IPFIX])


def announcements(version):
    """Datagrams that each could leave template 256 with records of no bytes."""
    return {
        "no fields": message(version, set_of(TEMPLATES[version], NOTHING)),
        "no fields, as options": message(version, set_of(OPTIONS[version], NO_OPTIONS[version])),
        "withdrawal": message(version, withdrawal_set(256)),
        "withdrawal of options": message(version, withdrawal_set(256, options=True)),
        "fields of no bytes": message(version, template_set(version, Template(256, [(7, 0), (11, 0)]))),
    }


@BOTH
@pytest.mark.parametrize("case", announcements(V9))
@pytest.mark.parametrize("known", [False, True], ids=["never announced", "announced before"])
def test_two_datagrams_do_not_make_either_decoder_loop(collector, version, case, known):
    before = [message(version, template_set(version, PORTS))] if known else []
    payloads = [*before, announcements(version)[case], message(version, data_set(256, bytes(1400)))]
    with Effort() as spent:
        for payload in payloads:
            assert len(collector.hear(payload)) <= 350
        assert len(list(RawDecoder().decode(DatagramBatch.from_payloads(payloads)))) == len(payloads)
    assert spent.seconds < 2


@BOTH
@pytest.mark.parametrize("case", announcements(V9))
def test_a_sound_template_after_it_is_used(collector, version, case):
    collector.hear(announcements(version)[case])
    (flow,) = collector.hear(message(version, template_set(version, PORTS), PORTS.data((1, 2))))
    assert (flow["SrcPort"], flow["DstPort"]) == (1, 2)


def test_data_after_a_withdrawal_is_kept_for_the_next_template(collector):
    collector.hear(message(IPFIX, template_set(IPFIX, PORTS), PORTS.data((1, 2))))
    assert collector.hear(message(IPFIX, withdrawal_set(256)), message(IPFIX, PORTS.data((3, 4)))) == []
    assert collector.events["withdrawals"] == 1
    (flow,) = collector.hear(message(IPFIX, template_set(IPFIX, Template(256, [(11, 2), (7, 2)]))))
    assert (flow["SrcPort"], flow["DstPort"]) == (4, 3)
