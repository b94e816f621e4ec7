"""The last second of a range is part of it, however the flows of that second were stored."""

from datetime import UTC, datetime

from millrace.query import Asking, TopQuestion

from .stored_flows import BASE


def test_a_part_whose_flows_all_lie_in_the_last_second_is_read(store, engine):
    store.insert([{"TimeReceived": BASE * 1000 + 500, "Proto": 6, "Bytes": 1, "Packets": 1, "SamplingRate": 1}])
    question = TopQuestion(
        dimensions=["Proto"],
        start=datetime.fromtimestamp(BASE - 60, UTC),
        end=datetime.fromtimestamp(BASE + 1, UTC),
    )
    assert engine.top(question, Asking(BASE + 10)).total.flows == 1
