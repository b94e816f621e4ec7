"""Sending and pacing, over loopback."""

import socket
import threading
import time

import pytest

from millrace.batch import DatagramBatch
from millrace.errors import SourceError
from millrace.receive import Sender, replay
from millrace.receive.mmsg import sendmmsg


@pytest.fixture(params=["sendmmsg", "portable"])
def system_call(request):
    if request.param == "sendmmsg" and sendmmsg is None:
        pytest.skip("this system has no sendmmsg")
    return sendmmsg if request.param == "sendmmsg" else None


@pytest.fixture(params=["127.0.0.1", "::1"])
def peer(request):
    """A socket that receives."""
    family = socket.AF_INET6 if ":" in request.param else socket.AF_INET
    with socket.socket(family, socket.SOCK_DGRAM) as sock:
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4 << 20)
        sock.bind((request.param, 0))
        sock.settimeout(1)
        yield sock


def test_a_batch_is_sent_as_it_is(peer, system_call):
    payloads = [b"", b"a", bytes(1400), bytes(range(256))]
    with Sender(*peer.getsockname()[:2], system_call=system_call) as sender:
        assert sender.send(DatagramBatch.from_payloads(payloads)) == 4
        assert sender.send(DatagramBatch.from_payloads(payloads), 1, 2) == 1
    assert [peer.recv(65535) for _ in range(5)] == [*payloads, b"a"]
    assert (sender.counts.datagrams, sender.counts.bytes) == (5, 1658)


def test_what_the_kernel_refuses_is_counted_and_passed_over(peer, system_call):
    with Sender(*peer.getsockname()[:2], system_call=system_call) as sender:
        assert sender.send([b"one", bytes(70000), b"two"]) == 2
    assert [peer.recv(10) for _ in range(2)] == [b"one", b"two"]
    assert sender.counts.failed == 1
    assert sender.counts.error


def test_nobody_listening_does_not_end_sending(system_call):
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as unused:
        unused.bind(("127.0.0.1", 0))
        port = unused.getsockname()[1]
    with Sender("127.0.0.1", port, system_call=system_call) as sender:
        sender.send([b"x"] * 50)
    assert sender.counts.datagrams + sender.counts.failed == 50


def test_unknown_names_are_clear_errors():
    with pytest.raises(SourceError, match=r"cannot send to nowhere\.invalid port 1"), Sender("nowhere.invalid", 1):
        pass


def test_a_rate_is_kept_exactly_and_evenly(peer):
    batch = DatagramBatch.from_payloads([b"x"] * 500)
    bursts = []
    with Sender(*peer.getsockname()[:2]) as sender:
        original = sender.send
        sender.send = lambda *range_: bursts.append(range_[2] - range_[1]) or original(*range_)
        result = replay([batch] * 4, sender, rate=5000)
    assert result.datagrams == 2000
    assert 0.39 < result.seconds < 1
    assert max(bursts) <= 10


def test_the_timing_of_the_capture_is_kept_at_a_multiple_of_its_speed(peer):
    batch = DatagramBatch.from_payloads([b"x"] * 5, time_ns=[0, 10**8, 10**8, 5 * 10**8, 10**9])
    with Sender(*peer.getsockname()[:2]) as sender:
        result = replay([batch, batch], sender, speed=5)
    assert result.datagrams == 10
    assert 0.19 < result.seconds < 1


def test_without_rate_and_speed_everything_is_sent_at_once_with_progress(peer):
    seen = []
    with Sender(*peer.getsockname()[:2]) as sender:
        result = replay([DatagramBatch.from_payloads([b"x"] * 100)], sender, speed=None, on_progress=seen.append)
    assert (result.datagrams, seen) == (100, [100])


def test_a_replay_ends_when_asked_even_in_a_long_gap(peer):
    stop = threading.Event()
    batch = DatagramBatch.from_payloads([b"x"] * 2, time_ns=[0, 3600 * 10**9])
    threading.Timer(0.05, stop.set).start()
    began = time.monotonic()
    with Sender(*peer.getsockname()[:2]) as sender:
        assert replay([batch], sender, stop=stop).datagrams == 1
    assert time.monotonic() - began < 1


@pytest.mark.parametrize("wrong", [{"rate": 0}, {"speed": -1}])
def test_rates_must_be_positive(wrong):
    with pytest.raises(ValueError, match="must be positive"):
        replay([], Sender("127.0.0.1", 1), **wrong)
