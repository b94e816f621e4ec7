"""Receiving over loopback, by `recvmmsg` and by the portable reader alike."""

import errno
import random
import socket
import threading
import time

import pytest

from millrace.batch import address_text
from millrace.errors import SourceError
from millrace.receive import ReceiveSettings, Sender, UdpReceiver, worker
from millrace.receive.mmsg import recvmmsg


def _send(address, payloads):
    with Sender(*address) as sender:
        assert sender.send(payloads) == len(payloads)
        return sender.address


def test_payloads_arrive_unchanged_and_in_order_with_their_sender(listen, joined):
    run = listen()
    payloads = [bytes([index % 256]) * (index % 700) for index in range(400)]
    host, port = _send(run.receiver.addresses[0], payloads)
    run.wait(400)
    got = joined(run.batches)
    assert got.payloads == payloads
    assert {address_text(row.tobytes()) for row in got.source} == {host}
    assert set(got.source_port.tolist()) == {port}
    assert set(got.port.tolist()) == {run.receiver.stats()[0].port}


def test_very_uneven_lengths_arrive_unchanged_in_little_memory(listen, joined):
    run = listen()
    payloads = [random.Random(size).randbytes(size) for size in (1, 60000, 0, 1400, 3, 30000, 100, 65507) * 6]
    _send(run.receiver.addresses[0], payloads)
    run.wait(len(payloads))
    assert joined(run.batches).payloads == payloads
    assert sum(batch.nbytes for batch in run.batches) < 2.2 * sum(map(len, payloads))


def test_default_address_takes_ipv6_and_ipv4(listen, joined):
    run = listen("0")
    port = run.receiver.addresses[0][1]
    _send(("::1", port), [b"six"])
    _send(("127.0.0.1", port), [b"four"])
    run.wait(2)
    got = joined(run.batches)
    seen = {(address_text(row.tobytes()), payload) for row, payload in zip(got.source, got.payloads, strict=True)}
    assert seen == {("::1", b"six"), ("127.0.0.1", b"four")}


def test_both_any_addresses_may_listen_on_one_port(listen):
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    run = listen(f"0.0.0.0:{port}", f"[::]:{port}")
    _send(("127.0.0.1", port), [b"four"])
    _send(("::1", port), [b"six"])
    run.wait(2)
    assert [stats.datagrams for stats in run.receiver.stats()] == [1, 1]


def test_timestamps_are_close_to_now(listen, joined):
    run = listen()
    before = time.time_ns()
    _send(run.receiver.addresses[0], [b"x"] * 10)
    run.wait(10)
    times = joined(run.batches).time_ns
    assert before - 10_000_000 <= times.min()
    assert times.max() <= time.time_ns()


def test_longer_datagrams_are_cut_and_counted(listen, joined):
    run = listen(datagram_bytes=512)
    _send(run.receiver.addresses[0], [bytes(512), bytes(513), bytes(9000)])
    run.wait(3)
    assert [len(payload) for payload in joined(run.batches).payloads] == [512, 512, 512]
    assert run.receiver.stats()[0].truncated == 2


def test_exporters_outside_the_allow_list_are_discarded_and_counted(listen, joined):
    run = listen("127.0.0.1:0", allow=["127.0.0.2/32", "2001:db8::/32"])
    payloads = [b"no", b"yes"] * 20
    with (
        Sender(*run.receiver.addresses[0]) as stranger,
        Sender(*run.receiver.addresses[0], source=("127.0.0.2", 0)) as exporter,
    ):
        for payload in payloads:
            (exporter if payload == b"yes" else stranger).send([payload])
    run.wait(40)
    assert joined(run.batches).payloads == [b"yes"] * 20
    stats = run.receiver.stats()[0]
    assert (stats.datagrams, stats.refused, stats.emit_refused) == (40, 20, 0)


def test_allow_list_of_ipv4_subnets_holds_for_mapped_addresses(listen):
    run = listen("0", allow=["127.0.0.0/8"])
    port = run.receiver.addresses[0][1]
    _send(("127.0.0.1", port), [b"four"])
    _send(("::1", port), [b"six"])
    run.wait(2)
    assert [batch.payload(0) for batch in run.batches] == [b"four"]


def test_a_listener_of_a_network_interface_takes_what_arrives_there_only(listen, joined):
    others = [name for _, name in socket.if_nameindex() if name != "lo"]
    run = listen({"port": 0, "address": "127.0.0.1", "interface": "lo"}, *(
        {"port": 0, "address": "127.0.0.1", "interface": name} for name in others[:1]
    ))  # fmt: skip
    for address in run.receiver.addresses:
        _send(address, [b"x"])
    run.wait(1)
    time.sleep(0.1)
    assert [stats.datagrams for stats in run.receiver.stats()] == [1, 0][: 1 + len(others[:1])]


def test_a_network_interface_that_is_not_there_is_told(listen):
    with pytest.raises(SourceError, match=r"port 0 of nosuch0: this host does not have that network interface"):
        listen({"port": 0, "interface": "nosuch0"})


@pytest.mark.parametrize(
    ("listeners", "allow", "told"),
    [(["0"], [], True), (["0.0.0.0:0"], [], True), (["0"], ["192.0.2.0/24"], False), (["127.0.0.1:0"], [], False),
     (["[::1]:0"], [], False), (["127.0.0.1:0", "0"], [], True)],
)  # fmt: skip
def test_health_notes_that_anybody_may_send_without_being_alarmed(listen, listeners, allow, told):
    run = listen(*listeners, allow=allow)
    condition = run.receiver.condition()
    assert (condition.status, condition.reasons) == ("ok", ())
    assert bool(condition.notes) == told
    if told:
        assert "Anybody who reaches UDP port" in condition.notes[0]
        assert f" {run.receiver.addresses[-1][1]} may send" in condition.notes[0]
        assert "receive.allow is empty" in condition.notes[0]


def test_refused_batches_are_counted(listen):
    run = listen(emit=lambda batch: False)
    _send(run.receiver.addresses[0], [b"x"] * 25)
    run.wait(25)
    stats = run.receiver.stats()[0]
    assert (stats.datagrams, stats.emit_refused) == (25, 25)


def _until(condition, seconds=5):
    end = time.monotonic() + seconds
    while not condition() and time.monotonic() < end:
        time.sleep(0.005)
    assert condition()


def test_an_exception_of_emit_is_told_until_a_batch_is_taken_again(listen):
    seen = []

    def emit(batch):
        seen.append(len(batch))
        if len(seen) == 1:
            raise ValueError("no")
        return True

    run = listen(emit=emit)
    _send(run.receiver.addresses[0], [b"x"])
    _until(lambda: run.receiver.stats()[0].error == "ValueError: no")
    assert run.receiver.stats()[0].emit_refused == 1
    assert run.receiver.condition().status == "failed"
    assert "ValueError: no" in run.receiver.condition().reasons[0]
    _send(run.receiver.addresses[0], [b"x"])
    _until(lambda: run.receiver.stats()[0].error == "")
    assert seen == [1, 1]
    well = run.receiver.condition()
    assert (well.status, well.last_error) == ("ok", "ValueError: no")
    assert well.last_error_at is not None


class _Reader:
    """A reader that fails as long as it is told to."""

    def __init__(self, inner, failing):
        self._inner = inner
        self._failing = failing

    @property
    def lengths(self):
        return self._inner.lengths

    def read(self, first, count):
        if error := self._failing.get("read"):
            raise error
        return self._inner.read(first, count)

    def received(self, count):
        received = self._inner.received(count)
        if error := self._failing.get("received"):
            raise error
        return received


@pytest.fixture
def failing(monkeypatch):
    """What readers raise, by their step."""
    steps = {}
    for name in ("MessageReader", "PortableReader"):
        inner = getattr(worker, name)
        monkeypatch.setattr(worker, name, lambda *given, inner=inner: _Reader(inner(*given), steps))
    return steps


def test_an_error_of_the_socket_is_over_when_the_socket_is_well_though_nothing_comes(failing, listen):
    run = listen()
    failing["read"] = OSError(100, "Network is down")
    _send(run.receiver.addresses[0], [b"x"])
    _until(lambda: "Network is down" in run.receiver.stats()[0].error)
    assert run.receiver.condition().status == "failed"
    failing.clear()
    _until(lambda: run.receiver.condition().status == "ok")
    assert run.receiver.stats()[0].error == ""
    run.wait(1)


def test_datagrams_that_were_read_and_then_lost_to_an_error_are_counted(failing, listen):
    run = listen()
    failing["received"] = MemoryError()
    _send(run.receiver.addresses[0], [b"x"] * 3)
    _until(lambda: run.receiver.stats()[0].failed == 3)
    failing.clear()
    _send(run.receiver.addresses[0], [b"y"] * 2)
    run.wait(2)
    stats = run.receiver.stats()[0]
    assert (stats.datagrams, stats.failed, stats.emit_refused, stats.error) == (5, 3, 0, "")


def test_a_thread_that_dies_is_begun_anew(failing, listen):
    run = listen()
    failing["received"] = SystemExit()
    _send(run.receiver.addresses[0], [b"x"])
    _until(lambda: run.receiver.threads[0].restarts == 1)
    assert run.receiver.condition().status == "failed"
    failing.clear()
    _send(run.receiver.addresses[0], [b"y"])
    _until(lambda: len(run.batches) == 1)
    _until(lambda: run.receiver.condition().status == "ok")
    assert run.receiver.stats()[0].failed == 1


def test_sockets_that_share_a_port_see_each_exporter_on_one_of_them(listen, joined):
    if not hasattr(socket, "SO_REUSEPORT"):
        pytest.skip("this system has no SO_REUSEPORT")
    run = listen({"address": "127.0.0.1", "port": 0, "sockets": 2})
    first, second = run.receiver.addresses
    assert first == second
    senders = [Sender(*first) for _ in range(16)]
    for sender in senders:
        with sender:
            sender.send([sender.address[1].to_bytes(2, "big")] * 5)
    run.wait(80)
    stats = run.receiver.stats()
    assert [one.index for one in stats] == [0, 1]
    assert sum(one.datagrams for one in stats) == 80
    assert all(one.datagrams % 5 == 0 for one in stats)
    assert len(joined(run.batches).payloads) == 80


def test_low_rates_wait_no_longer_than_the_batch_interval(listen):
    arrived = threading.Event()
    run = listen(emit=lambda batch: arrived.set() or True, batch_interval_ms=50)
    began = time.monotonic()
    _send(run.receiver.addresses[0], [b"x"])
    assert arrived.wait(2)
    assert time.monotonic() - began < 0.5


def test_batches_are_no_larger_than_asked(listen, joined):
    run = listen(batch_datagrams=16, batch_interval_ms=200)
    _send(run.receiver.addresses[0], [bytes([index]) for index in range(100)])
    run.wait(100)
    assert max(map(len, run.batches)) == 16
    assert joined(run.batches).payloads == [bytes([index]) for index in range(100)]


def test_stop_is_quick_hands_over_what_waits_and_may_be_repeated(listen):
    run = listen(batch_interval_ms=1000)
    _send(run.receiver.addresses[0], [b"x"] * 3)
    began = time.monotonic()
    run.receiver.stop()
    run.receiver.stop()
    assert time.monotonic() - began < 0.6
    assert sum(map(len, run.batches)) == 3
    assert run.receiver.stats()[0].datagrams == 3
    assert run.receiver.addresses == []


@pytest.mark.parametrize("size", [1, 60_000])
def test_stop_hands_over_all_that_waits_in_the_kernel(listen, monkeypatch, size):
    monkeypatch.setattr(worker, "_BATCH_BYTES", 150_000)
    gate, batches = threading.Event(), []
    run = listen(emit=lambda batch: gate.wait(5) and (batches.append(batch) or True), batch_datagrams=16)
    _send(run.receiver.addresses[0], [b"x"])
    time.sleep(0.1)
    count = 100 if size == 1 else 20
    _send(run.receiver.addresses[0], [bytes(size)] * count)
    stopping = threading.Thread(target=run.receiver.stop)
    stopping.start()
    time.sleep(0.1)
    gate.set()
    stopping.join(10)
    stats = run.receiver.stats()[0]
    assert stats.datagrams + (stats.kernel_drops or 0) == count + 1
    assert sum(map(len, batches)) == stats.datagrams > count // 2


def test_a_sender_that_goes_on_does_not_hold_up_the_end(listen, monkeypatch):
    monkeypatch.setattr(worker, "_LAST_SECONDS", 0.3)
    run = listen(batch_datagrams=1)
    address = run.receiver.addresses[0]
    over = threading.Event()

    def flood():
        with Sender(*address) as sender:
            while not over.is_set():
                sender.send([b"x"] * 20)

    sender = threading.Thread(target=flood)
    sender.start()
    try:
        time.sleep(0.1)
        began = time.monotonic()
        run.receiver.stop()
        assert time.monotonic() - began < 3
    finally:
        over.set()
        sender.join()


def test_receiver_can_be_started_again(listen):
    run = listen()
    run.receiver.stop()
    run.receiver.start()
    _send(run.receiver.addresses[0], [b"again"])
    run.wait(1)
    assert [batch.payload(0) for batch in run.batches] == [b"again"]


def test_an_address_in_use_is_a_clear_error_and_leaves_nothing_open(listen):
    run = listen()
    port = run.receiver.addresses[0][1]
    other = UdpReceiver(ReceiveSettings(listeners=("127.0.0.1:0", f"127.0.0.1:{port}")), lambda batch: True)
    with pytest.raises(SourceError, match=f"127.0.0.1 port {port}: another program listens there"):
        other.start()
    assert other.addresses == []
    assert other.stats() == []


def test_kernel_drops_and_the_granted_buffer_are_reported(listen):
    gate = threading.Event()
    run = listen(emit=lambda batch: gate.wait(5), receive_buffer_bytes=65536)
    address = run.receiver.addresses[0]
    _send(address, [b"x"])
    time.sleep(0.1)
    with Sender(*address) as sender:
        sender.send([bytes(1400)] * 500)
    during = run.receiver.stats()[0]
    gate.set()
    assert 65536 <= during.buffer_bytes < 1 << 20
    if during.kernel_drops is None:
        pytest.skip("this system does not tell about queues")
    assert during.queue_bytes > 0
    assert during.kernel_drops > 0
    time.sleep(0.1)
    after = run.receiver.stats()[0]
    assert after.queue_bytes == 0
    assert after.datagrams + after.kernel_drops == 501


def test_constructor_opens_nothing():
    receiver = UdpReceiver(ReceiveSettings(listeners=("192.0.2.1:1",)), lambda batch: True)
    assert receiver.addresses == []
    receiver.stop()


def test_an_error_of_the_socket_costs_no_datagram_that_was_already_read():
    if recvmmsg is None:
        pytest.skip("this system has no recvmmsg")
    calls = []

    def failing(*arguments):
        calls.append(arguments)
        if len(calls) == 2:
            raise OSError(errno.ENOMEM, "no memory")
        return recvmmsg(*arguments)

    batches = []
    receiver = UdpReceiver(
        ReceiveSettings(listeners=("127.0.0.1:0",), batch_interval_ms=100),
        lambda batch: batches.append(batch) or True,
        system_call=failing,
    )
    receiver.start()
    _send(receiver.addresses[0], [b"first"])
    time.sleep(0.05)
    _send(receiver.addresses[0], [b"second"])
    time.sleep(0.05)
    assert "no memory" in receiver.condition().last_error
    receiver.stop()
    assert [batch.payload(index) for batch in batches for index in range(len(batch))] == [b"first", b"second"]
