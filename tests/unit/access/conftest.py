"""Access over a state database in a folder of the test, with clocks that the test turns."""

import pytest

from millrace.access import Access, AccessSettings, filter_check
from millrace.schema import Schema
from millrace.state import NewUser, State, StateSettings

PASSWORD = "correct horse battery"
QUICK = {"memory_kib": 8, "iterations": 1, "lanes": 1}
"""Parameters of Argon2 that cost nothing."""


class Clock:
    """Time that stands still until a test moves it."""

    def __init__(self, now=1_767_268_800.0):
        self.now = now

    def __call__(self):
        return self.now

    def move(self, seconds):
        self.now += seconds


@pytest.fixture
def clock():
    return Clock()


@pytest.fixture
def make_access(tmp_path, clock):
    opened = []

    def make(transport=None, **settings):
        settings.setdefault("mode", "login")
        settings.setdefault("password", QUICK)
        state = State(StateSettings(), tmp_path)
        state.start()
        opened.append(state)
        access = Access(
            AccessSettings.model_validate(settings),
            state,
            filter_check(Schema()),
            clock=clock,
            steady=clock,
            transport=transport,
        )
        access.start()
        return access

    yield make
    for state in opened:
        state.stop()


@pytest.fixture
def access(make_access):
    access = make_access()
    access.users.add(NewUser("alice", "admin", "Alice", "alice@example.org"), PASSWORD)
    return access
