"""The brake on guessing."""

import threading

import pytest

from millrace.access.config import ThrottleSettings
from millrace.access.throttle import Throttle
from millrace.errors import ThrottledError

SETTINGS = ThrottleSettings(
    free_attempts_per_name=3,
    free_attempts_per_address=6,
    free_attempts_everywhere=8,
    max_delay_seconds=30,
    forget_seconds=100,
    max_entries=100,
)


@pytest.fixture
def throttle(clock):
    return Throttle(SETTINGS, clock)


def wait_of(throttle, name, address, device=""):
    try:
        throttle.begin(name, address, device)
    except ThrottledError as error:
        return error.retry_seconds
    return 0


def test_delays_of_a_name_grow_up_to_a_bound(throttle, clock):
    waits = []
    for _ in range(10):
        wait = wait_of(throttle, "alice", "192.0.2.1")
        while wait:
            waits.append(wait)
            clock.move(wait)
            wait = wait_of(throttle, "alice", "192.0.2.1")
    assert waits == [1, 2, 4, 8, 16, 30, 30]


def test_failures_elsewhere_do_not_keep_a_user_out(throttle):
    """One stranger with one address must not lock an administrator out."""
    for _ in range(50):
        wait_of(throttle, "alice", "192.0.2.1")
    assert wait_of(throttle, "alice", "192.0.2.1") == 1
    assert wait_of(throttle, "alice", "192.0.2.2") == 0


def test_guessing_by_many_machines_is_slowed_down_by_the_name(throttle):
    waits = [wait_of(throttle, "alice", f"192.0.2.{number}") for number in range(9)]
    assert waits == [0] * 8 + [1]
    assert wait_of(throttle, "bob", "192.0.2.100") == 0


def fail_for(throttle, clock, addresses, seconds, step):
    """Fail under a name from every address as often as that is let."""
    for _ in range(seconds // step):
        for address in addresses:
            wait_of(throttle, "alice", address)
        clock.move(step)


@pytest.mark.variants(1)
@pytest.mark.parametrize(
    "addresses",
    [["192.0.2.1"], ["192.0.2.1", "192.0.2.2"], [f"2001:db8:0:{number:x}::1" for number in range(50)]],
    ids=["an address", "two addresses", "an IPv6 network of 48 bits"],
)
def test_who_fails_for_days_keeps_nobody_else_out(clock, addresses):
    """A try every five minutes added up to the bound of a name from everywhere in a working day."""
    throttle = Throttle(ThrottleSettings(), clock)
    fail_for(throttle, clock, addresses, 86_400, 30)
    assert wait_of(throttle, "alice", "198.51.100.1") == 0
    assert wait_of(throttle, "alice", "2001:db8:1::1") == 0


def test_many_machines_guess_a_name_within_a_bound(clock):
    """With what is forgotten meanwhile: some 200 guesses in the first hour, and 100 in each further one."""
    throttle = Throttle(ThrottleSettings(), clock)
    guesses = 0
    for second in range(0, 7200, 5):
        for number in range(10):
            address = f"198.{second % 250}.{(second // 250) % 250}.{number}"
            guesses += wait_of(throttle, "alice", address) == 0
        clock.move(5)
    assert 200 < guesses < 330


def test_failures_under_other_names_do_not_have_those_of_a_name_forgotten(throttle, clock):
    """Whoever has a network of addresses could begin anew with each thousand of them."""
    for number in range(8):
        wait_of(throttle, "alice", f"2001:db9:{number:x}::1")
    for number in range(10 * SETTINGS.max_entries):
        wait_of(throttle, f"user{number}", f"2001:db8:1:{number:x}::1")
    assert len(throttle) == SETTINGS.max_entries
    assert wait_of(throttle, "alice", "2001:db8:2::1") == 1
    # What is over makes room before what is not, however often it failed.
    clock.move(SETTINGS.forget_seconds + 1)
    for number in range(3 * SETTINGS.max_entries):
        wait_of(throttle, f"user{number}", f"2001:db8:1:{number:x}::1")
    assert ("name", "alice") not in throttle._failures


def test_a_known_device_is_counted_for_itself_alone(throttle):
    for number in range(50):
        wait_of(throttle, "alice", f"192.0.2.{number % 10}")
    assert wait_of(throttle, "alice", "192.0.2.1") == 1
    # Even from an address that is slowed down: behind one proxy without X-Forwarded-For, everybody has it.
    assert [wait_of(throttle, "alice", "192.0.2.1", "hers") for _ in range(4)] == [0, 0, 0, 1]
    assert wait_of(throttle, "alice", "192.0.2.1", "her other one") == 0
    throttle.succeed("alice", "192.0.2.1", "her other one")
    assert wait_of(throttle, "alice", "192.0.2.1") == 1


def test_an_address_is_slowed_down_whatever_names_it_tries(throttle):
    waits = [wait_of(throttle, f"user{number}", "192.0.2.1") for number in range(7)]
    assert waits == [0] * 6 + [1]
    assert wait_of(throttle, "user9", "192.0.2.2") == 0


def test_an_ipv6_network_counts_as_one_address(throttle):
    waits = [wait_of(throttle, f"user{number}", f"2001:db8::{number}") for number in range(7)]
    assert waits[-1] == 1
    assert wait_of(throttle, "user9", "2001:db8:0:1::1") == 0


def test_a_mapped_address_is_its_ipv4_address(throttle):
    waits = [wait_of(throttle, f"user{n}", "::ffff:192.0.2.1" if n % 2 else "192.0.2.1") for n in range(7)]
    assert waits[-1] == 1


def test_a_refused_attempt_does_not_count(throttle, clock):
    for _ in range(3):
        throttle.begin("alice", "192.0.2.1")
    for _ in range(50):
        assert wait_of(throttle, "alice", "192.0.2.1") == 1
    clock.move(1)
    assert wait_of(throttle, "alice", "192.0.2.1") == 0


def test_success_lets_the_name_begin_anew_and_gives_the_address_one_attempt_back(throttle):
    for _ in range(2):
        throttle.begin("alice", "192.0.2.1")
    throttle.begin("alice", "192.0.2.1")
    throttle.succeed("alice", "192.0.2.1")
    assert wait_of(throttle, "alice", "192.0.2.1") == 0
    throttle.succeed("alice", "192.0.2.1")
    # Two failures of alice's are left: an attacker with one account gains nothing by logging in.
    assert [wait_of(throttle, f"user{n}", "192.0.2.1") for n in range(5)] == [0, 0, 0, 0, 1]


def test_an_attempt_that_was_not_judged_does_not_count_and_others_do(throttle, clock):
    for _ in range(20):
        throttle.begin("alice", "192.0.2.1")
        throttle.withdraw("alice", "192.0.2.1")
    assert len(throttle) == 0
    assert [wait_of(throttle, "alice", "192.0.2.1") for _ in range(3)] == [0, 0, 0]
    clock.move(1)
    throttle.begin("alice", "192.0.2.1")
    throttle.withdraw("alice", "192.0.2.1")
    # It gave nothing back but itself.
    assert wait_of(throttle, "alice", "192.0.2.1") == 2


def test_who_logs_in_again_and_again_is_not_slowed_down(throttle):
    for _ in range(100):
        throttle.begin("alice", "192.0.2.1")
        throttle.succeed("alice", "192.0.2.1")
    assert len(throttle) == 0


def test_failures_are_forgotten(throttle, clock):
    for _ in range(3):
        throttle.begin("alice", "192.0.2.1")
    clock.move(101)
    assert [wait_of(throttle, "alice", "192.0.2.1") for _ in range(3)] == [0, 0, 0]


def test_what_is_remembered_is_bounded(throttle):
    for number in range(1000):
        throttle.begin(f"user{number}", f"198.51.{number // 250}.{number % 250}")
    assert len(throttle) == 100


def test_many_attempts_at_the_same_time_gain_nothing(throttle):
    passed = []

    def attempt():
        if not wait_of(throttle, "alice", "192.0.2.1"):
            passed.append(1)

    threads = [threading.Thread(target=attempt) for _ in range(20)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(passed) == 3


@pytest.mark.parametrize("address", ["", "unknown", "x" * 10_000])
def test_an_address_that_is_none_counts_as_one(throttle, address):
    assert [wait_of(throttle, f"user{n}", address) for n in range(7)][-1] == 1
