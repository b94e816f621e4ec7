"""Devices that a user has logged in with: only what was given is known again."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from millrace.access.devices import Devices
from millrace.access.secrets import signed, unsigned

KEY = bytes(range(32))
NOW = 1_767_268_800.0
DEVICES = Devices(lambda: KEY, lambda: NOW)


@given(name=st.text(max_size=20), kept=st.text(max_size=200))
def test_what_somebody_made_up_is_no_device(name, kept):
    assert DEVICES.known(name, kept) == ""


@given(name=st.text(max_size=20), place=st.integers(0), letter=st.characters(codec="latin-1"))
def test_what_was_changed_is_none_either(name, place, letter):
    kept = DEVICES.mark(name)
    place %= len(kept)
    changed = kept[:place] + letter + kept[place + 1 :]
    assert (DEVICES.known(name, changed) != "") is (changed == kept)


def test_each_is_another_and_of_its_user_alone():
    first, second = DEVICES.mark("alice"), DEVICES.mark("alice")
    assert DEVICES.known("alice", first) not in ("", DEVICES.known("alice", second))
    assert DEVICES.known("bob", first) == ""
    assert "alice" not in first
    assert Devices(lambda: KEY[::-1], lambda: NOW).known("alice", first) == ""


@pytest.mark.parametrize("text", ["", "a", "a.b", "ä.b"])
def test_what_was_signed_for_one_purpose_is_worthless_for_another(text):
    kept = signed(KEY, "device", text)
    assert unsigned(KEY, "device", kept) == text
    assert unsigned(KEY, "oidc", kept) is None
    assert unsigned(KEY, "device", text) is None
