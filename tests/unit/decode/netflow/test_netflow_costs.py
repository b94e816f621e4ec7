"""Datagrams that would cost more than they hold: what they set off grows with what is known, not with their bytes.

Each is compared with the same datagram where little is known, or with a like one: what a machine is busy with
meanwhile changes both.
"""

from __future__ import annotations

import random
import struct
import tracemalloc
from collections import Counter
from math import inf
from statistics import median

from effort import Effort
from millrace.batch import DatagramBatch, address_bytes
from millrace.decode import Decoder, Limits
from millrace.schema import Schema
from millrace.testing.netflow import (
    EXPORT_S,
    IPFIX,
    VARIABLE,
    Template,
    data_set,
    ipfix,
    options_template_set,
    set_of,
    template_set,
    withdrawal_set,
)

ONE = Template(256, [(4, 1)])
FEW_MS = 0.01


def send(decoder, *payloads, port=1, source="203.0.113.9", at_s=0.0):
    """CPU that decoding takes, and what it gives; `port` of all, or of each."""
    ports = port if isinstance(port, list) else [port] * len(payloads)
    time_ns = round((EXPORT_S + at_s) * 1e9)
    made = DatagramBatch.from_payloads(payloads, source=source, source_port=ports, time_ns=time_ns)
    with Effort() as spent:
        found = decoder.decode(made)
    return spent.seconds, found


def test_withdrawing_all_templates_of_a_kind_does_not_look_at_those_of_the_other():
    withdrawals = ipfix(set_of(3, struct.pack("!HH", 3, 0) * 340))
    times = []
    for known in (10, 4000):
        decoder = Decoder(Schema())
        for first in range(0, known, 100):
            some = range(256 + first, 256 + first + min(known, 100))
            send(decoder, ipfix(template_set(IPFIX, *(Template(number, [(4, 1)]) for number in some))))
        times.append(median(send(decoder, withdrawals)[0] for _ in range(7)))
        assert len(decoder.exporters()[0].templates) == known
    assert times[1] < 3 * times[0] + FEW_MS / 4


def test_templates_that_change_their_kind_are_withdrawn_with_the_right_one():
    decoder = Decoder(Schema())
    send(decoder, ipfix(template_set(IPFIX, ONE, Template(257, [(4, 1)]))))
    send(decoder, ipfix(set_of(3, struct.pack("!HHHHH", 256, 1, 1, 4, 1))))
    send(decoder, ipfix(withdrawal_set(2)))
    assert [(known.id, known.options) for known in decoder.exporters()[0].templates] == [(256, True)]
    send(decoder, ipfix(withdrawal_set(3, options=True)))
    assert decoder.exporters()[0].templates == ()


def test_data_before_a_template_of_another_port_is_looked_up_at_once():
    data, told, gone = ipfix(*[data_set(256, b"\6")] * 280), ipfix(template_set(IPFIX, ONE)), ipfix(withdrawal_set(256))
    times = []
    for teller in (1, 2):
        decoder = Decoder(Schema())
        for port in (1, 2):
            send(decoder, ipfix(), port=port)
        send(decoder, told, port=teller)
        turns = [send(decoder, *[gone, data, told] * 4, port=[teller, 1, teller] * 4) for _ in range(5)]
        times.append(median(cpu for cpu, _ in turns))
        assert [len(found.flows) for _, found in turns] == [4 * 280] * 5
    assert times[1] < 2.5 * times[0]


def test_what_waits_at_many_ports_is_not_looked_through_for_each_template_of_another():
    decoder = Decoder(Schema())
    waiting = ipfix(*(data_set(256 + number, b"12345") for number in range(100)))
    for first in range(1, 801, 50):
        send(decoder, *[waiting] * 50, port=list(range(first, first + 50)))
    for turn in range(10):
        # Five bytes are no records of three or of four.
        templates = [Template(256 + number, [(4, 3 + turn % 2)]) for number in range(20)]
        cpu, found = send(decoder, ipfix(template_set(IPFIX, *templates)), port=5000)
        assert len(found.flows) == 0
        # Trying all 800 ports with each of the twenty takes a second.
        assert cpu < 10 * FEW_MS
    assert decoder.exporters()[0].waiting_sets == 80_000


def test_sets_of_many_ports_are_released_by_a_template_of_another_whatever_else_waits():
    decoder = Decoder(Schema())
    send(decoder, *[ipfix(data_set(256, b"12345"), data_set(256, b"\6"))] * 40, port=list(range(1, 41)))
    _, found = send(decoder, ipfix(template_set(IPFIX, Template(256, [(4, 1), (5, 1), (6, 2)]))), port=5000)
    assert len(found.flows) == 0
    _, found = send(decoder, ipfix(template_set(IPFIX, Template(256, [(4, 1), (5, 1), (6, 2), (7, 1)]))), port=5000)
    assert len(found.flows) == 40
    _, found = send(decoder, ipfix(template_set(IPFIX, ONE)), port=5000)
    assert len(found.flows) == 40


NAMES = Template(400, [(10, 4), (82, 4)], scopes=1)


def named(decoder, ports, name, first=0, each=40, domain=1, at_s=0.0):
    """Each port names interfaces of its own, and the interface 1."""
    for port in ports:
        own = range(1000 + first + port * each, 1000 + first + (port + 1) * each)
        told = NAMES.data(*((index, name) for index in (1, *own)))
        send(decoder, ipfix(options_template_set(IPFIX, NAMES), told, domain=domain), port=port, at_s=at_s)


def names_of(decoder):
    with Effort() as spent:
        names = {index: name for (_, index), (name, _) in decoder.interface_names().items()}
    return spent.seconds, names


def test_names_that_many_ports_told_are_read_at_the_cost_of_their_number():
    alone, crowded = Decoder(Schema()), Decoder(Schema())
    for start in range(0, 32_000, 320):
        named(alone, [1], "old", first=start, each=320)
    named(crowded, range(1, 401), "old")
    named(crowded, range(401, 801), "new", domain=2, at_s=700)
    (least, _), (cpu, names) = names_of(alone), names_of(crowded)
    # The later ports came in the place of the others: what they name as well holds as they say.
    assert names[1] == "new"
    assert len(names) == 1 + 800 * 40
    assert set(names.values()) == {"old", "new"}
    assert cpu < 10 * least + FEW_MS


def test_one_long_text_does_not_have_all_others_take_as_much_memory():
    decoder = Decoder(Schema())
    send(decoder, ipfix(template_set(IPFIX, Template(404, [(96, VARIABLE)]))))
    empty = ipfix(data_set(404, bytes(1398) + b"\1x"))
    # 256 and more bytes are told by three.
    long = ipfix(data_set(404, b"\xff\4\0" + b"y" * 1024))
    tracemalloc.start()
    _, found = send(decoder, *[empty] * 50, long)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    names = found.flows.ordered().to_arrow(Schema()).column("ApplicationName").to_pylist()
    assert Counter(name for name in names if name) == {"x": 50, "y" * 512: 1}
    assert len(names) == 50 * 1399 + 1
    # Each of them filled up to 512 bytes takes 36 MB, and twice that to sort them.
    assert peak < 20e6


def test_texts_of_all_lengths_come_out_as_they_are():
    rng = random.Random(3)
    decoder = Decoder(Schema())
    send(decoder, ipfix(template_set(IPFIX, Template(404, [(96, VARIABLE), (82, VARIABLE)]))))
    texts = [
        f"{number}:".ljust(rng.choice([3, 15, 16, 17, 63, 64, 65, 255, 256, 257, 511]), "z") for number in range(60)
    ]

    def told(text):
        return (bytes([255]) + len(text).to_bytes(2, "big")) + text.encode()

    _, found = send(decoder, ipfix(data_set(404, *(told(text) + told("") for text in texts))))
    assert found.flows.ordered().to_arrow(Schema()).column("ApplicationName").to_pylist() == texts


def test_options_that_bring_a_domain_each_are_shed_before_they_take_the_time_of_others():
    decoder = Decoder(Schema())
    about = Template(401, [(149, 4), (34, 1)], scopes=1)
    told = (struct.pack("!IB", 1000 + number, 5) for number in range(250))
    payload = ipfix(options_template_set(IPFIX, about), data_set(401, *told))
    told_of, given_up = 0, 0
    for turn in range(50):
        # Ten new exporters in a tenth of a second: 1.1 Mbit/s.
        sources = [f"10.9.{turn}.{number}" for number in range(10)]
        _, found = send(decoder, *[payload] * 10, source=sources, at_s=turn / 10)
        told_of += sum(n for (*_, event), n in found.counts.events.items() if event == "options_records")
        given_up += sum(n for (*_, event), n in found.counts.events.items() if event == "costly_sets")
    # A second of work at once and a quarter of each of the five, at 24 microseconds a record.
    assert told_of < 2.25e6 / 24 * 1.05
    assert given_up > 100


def test_nobody_has_the_options_of_another_left_out_by_sending_very_many_of_the_same_layout():
    decoder = Decoder(Schema())
    about = Template(401, [(149, 4), (34, 1)], scopes=1)
    announced = options_template_set(IPFIX, about)
    told = (struct.pack("!IB", 1000 + number, 5) for number in range(250))
    payload = ipfix(announced, data_set(401, *told))
    honest = ipfix(announced, data_set(401, struct.pack("!IB", 1, 9), struct.pack("!IB", 2, 9)))
    learned, given_up = 0, 0
    for turn in range(60):
        sources = [*(f"10.9.{turn}.{number}" for number in range(10)), "192.0.2.1"]
        _, found = send(decoder, *[payload] * 10, honest, source=sources, at_s=turn / 10)
        events = found.counts.events
        learned += events[address_bytes("192.0.2.1"), "ipfix", "options_records"]
        given_up += sum(n for (*_, event), n in events.items() if event == "costly_sets")
    assert given_up > 100
    assert learned == 60 * 2


def test_the_last_of_many_names_cost_no_more_to_forget_than_the_first():
    decoder = Decoder(Schema())
    for start in range(0, 48_000, 320):
        named(decoder, [1], "old", first=start, each=320)
    times = [send(decoder, ipfix(), at_s=8 * 86_400 + turn / 50)[0] for turn in range(24)]
    assert decoder.exporters()[0].interfaces == 0
    assert median(times[18:23]) < 3 * median(times[:5]) + FEW_MS


APPLICATIONS = Template(402, [(95, 4), (96, 6)], scopes=1)
OF_APPLICATION = Template(256, [(95, 4), (4, 1)])


def test_texts_that_nothing_names_any_more_are_never_all_looked_for_at_once():
    """Forty thousand names, and each of them changed twice."""
    decoder = Decoder(Schema(), Limits(layout_share=inf))
    send(decoder, ipfix(options_template_set(IPFIX, APPLICATIONS), template_set(IPFIX, OF_APPLICATION)))
    times = []
    for turn in (0, 1, 2):
        for first in range(0, 45_000, 500):
            told = APPLICATIONS.data(*((n, f"{turn}{n:05}") for n in range(first, first + 500)))
            times.append(send(decoder, ipfix(told))[0])
    assert max(times) < 5 * median(times) + 2 * FEW_MS
    _, found = send(decoder, ipfix(OF_APPLICATION.data((3, 6), (44_999, 6), (7, 6))))
    names = [row["ApplicationName"] for row in found.flows.to_arrow(Schema()).to_pylist()]
    assert names == ["200003", "244999", "200007"]
