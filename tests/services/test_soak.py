"""Kills, a full disk, a clock that steps, floods, questions under load (a small soak); and that its books balance."""

import signal
import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace

import pytest

from millrace.decode import Decoder
from millrace.schema import Schema

from .conftest import REQUIRED

SCRIPTS = Path(__file__).parents[2] / "scripts"
SCRIPT = SCRIPTS / "soak.py"
SMALL = ("--minutes", "3", "--kill-every", "40", "--rate", "50000", "--disk-gib", "8")
LONGEST_S = 900


@pytest.mark.skipif(not REQUIRED, reason="takes five minutes: with MILLRACE_REQUIRE_SERVICES=1, as in CI, or by hand")
@pytest.mark.alone
@pytest.mark.slow
@pytest.mark.service
@pytest.mark.timeout(LONGEST_S + 60)
def test_three_minutes_of_everything_that_goes_wrong():
    process = subprocess.Popen([sys.executable, SCRIPT, *SMALL, "--require-all"], stdout=subprocess.PIPE, text=True)
    try:
        output, _ = process.communicate(timeout=LONGEST_S)
    except subprocess.TimeoutExpired:
        # Asked to end, it ends what it started.
        process.send_signal(signal.SIGTERM)
        output, _ = process.communicate(timeout=60)
    assert process.returncode == 0, output[-8000:]
    assert output.endswith("ok\n")


@pytest.fixture
def soaking(monkeypatch):
    monkeypatch.syspath_prepend(str(SCRIPTS))
    from soaking import accounts, load

    return SimpleNamespace(accounts=accounts, load=load)


def entry(accounts, **changes):
    """The books of a life in which all is well: 1000 sent, 10 counted as lost, 30 on their way when it was killed."""
    stored = accounts.Stored(960, 960, 0)
    sound = {
        "first": 1, "stop": 1001, "whole": (1, 1041), "acknowledged": 950, "stored": stored,
        "whole_stored": accounts.Stored(970, 970, 0), "counted": 10, "in_flight": 30,
    }  # fmt: skip
    return accounts.Entry(**(sound | changes))


def test_sound_books_have_no_fault(soaking):
    assert soaking.accounts.faults(1, entry(soaking.accounts)) == []


@pytest.mark.parametrize(
    ("changes", "fault"),
    [
        ({"acknowledged": 971}, "acknowledged"),
        ({"whole_stored": (971, 970, 0)}, "stored twice"),
        ({"whole_stored": (970, 970, 1)}, "not as they were sent"),
        ({"counted": 9}, "are missing"),
        ({"in_flight": 29}, "are missing"),
        ({"stored": (959, 959, 0)}, "are missing"),
    ],
)
def test_one_flow_too_few_or_too_many_is_a_fault(soaking, changes, fault):
    accounts = soaking.accounts
    made = {name: accounts.Stored(*value) if isinstance(value, tuple) else value for name, value in changes.items()}
    [found] = accounts.faults(1, entry(accounts, **made))
    assert fault in found


def test_every_flow_of_the_load_has_a_number_and_decodes_to_it(soaking):
    pool = soaking.load.NumberedPool(0)
    decoder, schema = Decoder(Schema()), Schema()
    time_ns = 1_763_060_400_000_000_000
    decoder.decode(pool.preamble(time_ns).batch("127.0.2.1", time_ns=time_ns))
    found = []
    for first in (1, 1 + 40 * 24, 70_000):
        part = pool.take_numbered(40, time_ns, first)
        table = decoder.decode(part.batch("127.0.2.1", time_ns=time_ns)).flows.to_arrow(schema)
        found += list(zip(table["Bytes"].to_pylist(), table["SrcPort"].to_pylist(), strict=True))
    wanted = [*range(1, 1 + 80 * 24), *range(70_000, 70_000 + 40 * 24)]
    assert sorted(found) == [(number, number % 65_536) for number in wanted]
