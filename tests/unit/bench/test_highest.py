"""Looking for the highest rate without loss."""

import pytest

from millrace.bench.endtoend import Trial, highest
from millrace.bench.result import BenchError


def collector(limit, sender=1e9):
    """A trial against a collector that loses flows above a limit, and a sender with a limit of its own."""

    def trial(rate):
        sent = min(rate, sender)
        arrived = min(sent, limit)
        return Trial(int(sent), int(arrived), {}, sent, 1.0, ())

    return trial


@pytest.mark.parametrize("limit", [400_000, 990_000, 1_000_000, 1_700_000])
def test_it_comes_near_the_limit_and_never_above(limit):
    found = highest(collector(limit), 1_000_000).flows_per_s
    assert limit / 1.16 < found <= limit


def test_it_stops_where_the_sender_cannot_keep_up():
    assert highest(collector(9e9, sender=1_200_000), 1_000_000).flows_per_s == 1_200_000


def test_loss_at_every_rate_is_an_error():
    with pytest.raises(BenchError, match="lost at every rate"):
        highest(collector(10), 1_000_000)
