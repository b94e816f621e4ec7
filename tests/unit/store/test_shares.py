"""Questions share memory: one may take much at a time, the others little, and none of them what inserts need."""

import threading
import time

import pytest

from millrace.errors import QueryCancelledError, QueryTimeoutError
from millrace.store import StoreSettings
from millrace.store.cancel import Cancel
from millrace.store.faults import EngineError
from millrace.store.shares import Shares

MIB = 1 << 20
TOO_MUCH = EngineError.of("Code: 241. DB::Exception: (query) memory limit exceeded: would use 32.1 MiB")
TOO_MUCH_OF_ALL = EngineError.of("Code: 241. DB::Exception: (total) memory limit exceeded: would use 1.1 GiB")


class Held:
    """A question that goes on until it is let go."""

    def __init__(self, shares, statement, needs=0, *, asked=None):
        self.shares_seen = []
        self.go = threading.Event()
        self.answer = None
        self._needs = needs
        self._asked = asked if asked is not None else []
        self._name = statement
        self._thread = threading.Thread(target=self._run, args=(shares,), daemon=True)
        self._thread.start()

    def _run(self, shares):
        self.answer = shares.run(self._name, self._ask)

    def _ask(self, share):
        self.shares_seen.append(share)
        if share.limit < self._needs:
            raise TOO_MUCH
        self._asked.append(self._name)
        assert self.go.wait(20)
        return self._name

    def runs(self, count=1):
        end = time.monotonic() + 10
        while len(self.shares_seen) < count and time.monotonic() < end:
            time.sleep(0.005)
        return len(self.shares_seen) >= count

    def end(self):
        self.go.set()
        self._thread.join(10)
        return self.answer


@pytest.fixture
def shares():
    return Shares(StoreSettings())


def test_one_alone_has_much_and_the_others_have_little(shares):
    questions = [Held(shares, f"q{number}") for number in range(4)]
    assert all(question.runs() for question in questions)
    limits = sorted(question.shares_seen[0].limit for question in questions)
    assert limits == [32 * MIB] * 3 + [480 * MIB]
    assert {question.end() for question in questions} == {"q0", "q1", "q2", "q3"}


@pytest.mark.parametrize("memory_mib", [1024, 1536, 2048, 16384])
@pytest.mark.parametrize("query_mib", [16, 64, 512, 4096])
def test_all_together_leave_enough_to_others(memory_mib, query_mib):
    settings = StoreSettings(memory_bytes=memory_mib * MIB, query_memory_bytes=query_mib * MIB)
    shares = Shares(settings)
    questions = [Held(shares, f"q{number}") for number in range(60)]
    time.sleep(0.3)
    running = [question.shares_seen[0].limit for question in questions if question.shares_seen]
    assert sum(running) <= min(settings.engine_bytes * 5 // 8, settings.engine_bytes - 256 * MIB)
    assert len(running) >= 4
    for question in questions:
        question.go.set()
    for question in questions:
        question.end()


def test_who_needs_much_waits_for_its_turn_and_is_known_from_then_on(shares):
    first, second = Held(shares, "first"), Held(shares, "much", needs=100 * MIB)
    assert first.runs()
    assert second.runs()
    time.sleep(0.1)
    assert [share.limit for share in second.shares_seen] == [32 * MIB]
    assert first.end() == "first"
    assert second.runs(2)
    again = Held(shares, "much", needs=100 * MIB)
    time.sleep(0.1)
    assert again.shares_seen == []
    assert second.end() == "much"
    assert again.runs()
    assert again.shares_seen[0].limit == 480 * MIB
    assert again.end() == "much"


def test_nobody_passes_those_who_wait_for_much(shares):
    asked = []
    first = Held(shares, "first", asked=asked)
    assert first.runs()
    waiting = Held(shares, "much", needs=100 * MIB, asked=asked)
    assert waiting.runs()
    time.sleep(0.1)
    first.end()
    later = [Held(shares, f"later{number}", asked=asked) for number in range(3)]
    assert waiting.runs(2)
    assert all(question.runs() for question in later)
    assert {question.shares_seen[0].limit for question in later} == {32 * MIB}
    for question in (waiting, *later):
        assert question.end()


@pytest.mark.parametrize("error", [TOO_MUCH_OF_ALL, EngineError.of("Code: 47. DB::Exception: Unknown identifier")])
def test_other_errors_are_not_tried_again(shares, error):
    asked = []

    def ask(share):
        asked.append(share)
        raise error

    first = Held(shares, "first")
    assert first.runs()
    with pytest.raises(EngineError, match="Code"):
        shares.run("wrong", ask)
    assert len(asked) == 1
    first.end()


def test_what_needs_more_than_much_fails_and_leaves_its_place(shares):
    def ask(share):
        raise TOO_MUCH

    for _ in range(3):
        with pytest.raises(EngineError, match="241"):
            shares.run("too much", ask)
    assert shares.run("other", lambda share: share.limit) == 480 * MIB


def test_who_waits_is_cancelled_or_gives_up(shares):
    first = Held(shares, "first")
    assert first.runs()
    asked = []

    def ask(share):
        asked.append(share)
        raise TOO_MUCH

    cancel = Cancel()
    threading.Timer(0.2, cancel.cancel).start()
    with pytest.raises(QueryCancelledError):
        shares.run("cancelled", ask, cancel)
    with pytest.raises(QueryTimeoutError, match="other questions"):
        shares.run("late", ask, max_seconds=0.1)
    assert len(asked) == 2
    first.end()
    # Nobody waits for the large place any more.
    assert shares.run("next", lambda share: share.limit) == 480 * MIB


def test_the_time_to_wait_begins_with_the_wait(shares):
    """Not with the first try, however long that took."""
    first = Held(shares, "first")
    assert first.runs()

    def ask(share):
        if share.limit < 100 * MIB:
            time.sleep(0.4)
            raise TOO_MUCH
        return share.limit

    threading.Timer(0.5, first.go.set).start()
    assert shares.run("much", ask, max_seconds=0.3) == 480 * MIB
    first.end()
