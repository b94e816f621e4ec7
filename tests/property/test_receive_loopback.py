"""Any list of payloads sent over loopback arrives as it was sent."""

import threading

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from millrace.receive import ReceiveSettings, Sender, UdpReceiver
from millrace.receive.mmsg import recvmmsg, sendmmsg


class _Echo:
    """A receiver that runs through all examples, and a sender to it."""

    def __init__(self, *, portable):
        self.payloads = []
        self.arrived = threading.Condition()
        self.receiver = UdpReceiver(
            ReceiveSettings(listeners=("[::1]:0",), batch_interval_ms=1),
            self._emit,
            system_call=None if portable else recvmmsg,
        )
        self.receiver.start()
        self.sender = Sender(*self.receiver.addresses[0], system_call=None if portable else sendmmsg)
        self.sender.open()

    def _emit(self, batch):
        with self.arrived:
            self.payloads += [batch.payload(index) for index in range(len(batch))]
            self.arrived.notify()
        return True

    def close(self):
        self.sender.close()
        self.receiver.stop()


@pytest.fixture(scope="module", params=[False, True], ids=["batched", "portable"])
def echo(request):
    running = _Echo(portable=request.param)
    yield running
    running.close()


@settings(max_examples=50, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(payloads=st.lists(st.one_of(st.binary(max_size=50), st.binary(min_size=1000, max_size=9000)), max_size=30))
def test_payloads_arrive_unchanged(echo, payloads):
    echo.payloads.clear()
    echo.sender.send(payloads)
    with echo.arrived:
        assert echo.arrived.wait_for(lambda: len(echo.payloads) >= len(payloads), timeout=5)
        assert echo.payloads == payloads
