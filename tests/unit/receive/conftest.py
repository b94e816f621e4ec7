import time
from types import SimpleNamespace

import numpy as np
import pytest

from millrace.receive import ReceiveSettings, UdpReceiver
from millrace.receive.mmsg import recvmmsg


@pytest.fixture(params=["recvmmsg", "portable"])
def listen(request):
    """Start receivers on loopback; gives the receiver and the batches that it emits."""
    if request.param == "recvmmsg" and recvmmsg is None:
        pytest.skip("this system has no recvmmsg")
    running = []

    def start(*listeners, emit=None, **settings):
        batches = []
        receiver = UdpReceiver(
            ReceiveSettings(listeners=listeners or ("127.0.0.1:0",), **settings),
            emit or (lambda batch: batches.append(batch) or True),
            system_call=recvmmsg if request.param == "recvmmsg" else None,
        )
        receiver.start()
        running.append(receiver)
        return SimpleNamespace(receiver=receiver, batches=batches, wait=lambda count: _wait(receiver, count))

    yield start
    for receiver in running:
        receiver.stop()


def _wait(receiver, count):
    """Stop once the sockets have seen `count` datagrams (or after two seconds)."""
    until = time.monotonic() + 2
    while sum(stats.datagrams for stats in receiver.stats()) < count and time.monotonic() < until:
        time.sleep(0.005)
    receiver.stop()


@pytest.fixture
def joined():
    """All payloads, and one array of each kind, of several batches."""

    def join(batches):
        return SimpleNamespace(
            payloads=[batch.payload(index) for batch in batches for index in range(len(batch))],
            source=np.concatenate([batch.source for batch in batches]),
            source_port=np.concatenate([batch.source_port for batch in batches]),
            time_ns=np.concatenate([batch.time_ns for batch in batches]),
            port=np.concatenate([batch.port for batch in batches]),
        )

    return join
