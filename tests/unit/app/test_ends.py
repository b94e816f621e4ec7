"""Traffic that goes on evenly is shown as such up to the end of a range that ends now."""

import threading
import time
from datetime import datetime
from statistics import median

import httpx
import pytest

from millrace.app.application import Application
from millrace.app.settings import Settings
from millrace.generate import LoadPool
from millrace.receive import Sender


@pytest.fixture(scope="module", params=[(3, 0.05), (0.05, 0.2)], ids=["waiting", "all stored"])
def application(tmp_path_factory, request):
    """Flows wait for up to three seconds, and twenty datagrams come in each; or hardly at all, and five come."""
    flush_interval_s, each_s = request.param
    settings = Settings.model_validate(
        {
            "data": tmp_path_factory.mktemp("data"),
            "receive": {"listeners": ["127.0.0.1:0"]},
            "api": {"port": 0},
            "pipeline": {"flush_interval_s": flush_interval_s},
        }
    )
    application = Application(settings)
    application.start()
    stop = threading.Event()
    sender = threading.Thread(target=send, args=(application.receiver.addresses[0][1], each_s, stop))
    sender.start()
    yield application
    stop.set()
    sender.join()
    application.stop()


def send(port, each_s, stop):
    pool = LoadPool("netflow-v5", datagrams=1)
    with Sender("127.0.0.1", port) as sender:
        due = time.monotonic()
        while not stop.is_set():
            sender.send(pool.take(1, time.time_ns()).batch("127.0.0.1"))
            due += each_s
            stop.wait(max(due - time.monotonic(), 0))


@pytest.mark.variants(1)
def test_last_points_of_steady_traffic_do_not_fall(application):
    """A flush of three seconds made the last three points of a second each fall to nothing.

    Where all was stored, the second that went on counted as a whole one.
    """
    time.sleep(9)
    with httpx.Client(base_url=application.url, timeout=10) as client:
        asked = {"last_seconds": 5, "interval_seconds": 1, "unit": "flows/s"}
        for _ in range(8):
            series = client.post("/api/v1/flows/series", json=asked).json()
            assert datetime.fromisoformat(series["end"]).timestamp() <= time.time()
            points = series["total"]["points"]
            assert series["end"] < series["asked_end"]
            assert min(points[1:]) > 0.6 * median(points) > 0
            assert series["total"]["last"] > 0.6 * median(points)
            time.sleep(0.43)
