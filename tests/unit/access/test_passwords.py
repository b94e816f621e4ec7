"""Hashing of passwords."""

import threading

import pytest
from argon2 import PasswordHasher, extract_parameters

from millrace.access.config import PasswordSettings
from millrace.access.passwords import MAX_BYTES, Passwords
from millrace.errors import InvalidError, ThrottledError

QUICK = PasswordSettings(memory_kib=8, iterations=1, lanes=1)


@pytest.fixture
def passwords():
    return Passwords(QUICK)


@pytest.mark.parametrize("password", ["correct horse battery", "пароль и соль", "0123456789", "x" * MAX_BYTES])
def test_a_password_fits_its_hash_and_no_other(passwords, password):
    stored = passwords.hash(password)
    assert stored.startswith("$argon2id$")
    assert password not in stored
    assert passwords.verify(stored, password)
    assert not passwords.verify(stored, password[:-1] + "?")
    assert passwords.hash(password) != stored


@pytest.mark.parametrize("password", ["", "short", "x" * (MAX_BYTES + 1), "ä" * MAX_BYTES])
def test_passwords_are_bounded_in_length(passwords, password):
    with pytest.raises(InvalidError, match="password"):
        passwords.hash(password)


@pytest.mark.parametrize("stored", [None, "", "no hash", "$argon2id$v=19$m=8,t=1,p=1$AAAA$AAAA"])
def test_nothing_fits_a_hash_that_is_none(passwords, stored):
    assert not passwords.verify(stored, "correct horse battery")


def test_broken_characters_fit_nothing(passwords):
    assert not passwords.verify(passwords.hash("0123456789"), "\ud800")


def test_an_unknown_user_costs_a_hash_too(passwords, monkeypatch):
    verified = []
    monkeypatch.setattr(PasswordHasher, "verify", lambda self, stored, password: verified.append(stored))
    passwords.verify(None, "correct horse battery")
    assert len(verified) == 1
    assert extract_parameters(verified[0]).memory_cost == QUICK.memory_kib


def test_a_hash_of_other_parameters_is_outdated(passwords):
    stored = passwords.hash("correct horse battery")
    assert not passwords.outdated(stored)
    assert Passwords(PasswordSettings(memory_kib=16, iterations=1, lanes=1)).outdated(stored)


@pytest.mark.parametrize(("wait_seconds", "waiting"), [(0.01, 8), (600, 0)])
def test_only_a_few_hashes_run_and_wait_at_the_same_time(monkeypatch, wait_seconds, waiting):
    monkeypatch.setattr("millrace.access.passwords._WAIT_SECONDS", wait_seconds)
    monkeypatch.setattr("millrace.access.passwords._MAX_WAITING", waiting)
    passwords = Passwords(PasswordSettings(memory_kib=8, iterations=1, lanes=1, concurrent=1))
    passwords.prepare()
    inside, leave = threading.Event(), threading.Event()

    def slow(self, stored, password):
        inside.set()
        leave.wait(10)
        return True

    monkeypatch.setattr(PasswordHasher, "verify", slow)
    thread = threading.Thread(target=passwords.verify, args=("x", "correct horse battery"))
    thread.start()
    inside.wait(10)
    with pytest.raises(ThrottledError):
        passwords.verify("x", "correct horse battery")
    leave.set()
    thread.join()
    assert passwords.verify("x", "correct horse battery")


def test_many_strangers_leave_a_place_for_known_devices(monkeypatch):
    monkeypatch.setattr("millrace.access.passwords._MAX_WAITING", 0)
    passwords = Passwords(PasswordSettings(memory_kib=8, iterations=1, lanes=1, concurrent=1))
    passwords.prepare()
    inside, leave = threading.Event(), threading.Event()

    def verify(self, stored, password):
        if password == "a stranger's guess":
            inside.set()
            leave.wait(10)
        return True

    monkeypatch.setattr(PasswordHasher, "verify", verify)
    thread = threading.Thread(target=passwords.verify, args=("x", "a stranger's guess"))
    thread.start()
    inside.wait(10)
    with pytest.raises(ThrottledError):
        passwords.verify("x", "correct horse battery")
    assert passwords.verify("x", "correct horse battery", known=True)
    # Nor do they keep anybody who is logged in from setting another.
    assert passwords.hash("correct horse battery")
    leave.set()
    thread.join()
