"""Attacks beside honest traffic on a live collector (short); and that what is sent is what it is said to be."""

import itertools
import os
import signal
import subprocess
import sys
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace

import pytest

from millrace.batch import DatagramBatch
from millrace.decode import Counts, Decoder
from millrace.schema import Schema

from .conftest import REQUIRED

LONG = bool(os.environ.get("MILLRACE_LONG"))
SCRIPTS = Path(__file__).parents[2] / "scripts"
SMALL = ("--seconds", "4", "--rate", "20000")
SENT = {  # by attack, of its first 200 datagrams: what they hold, how much of it, and from how many addresses
    "calm": ("datagrams", 0, 0),
    "costly-layouts": ("sets", 280 * 200, 2),
    "domains": ("datagrams", 200, 16),
    "templates": ("templates", 170 * 200, 10),
    "options": ("options_records", 250 * 200, 5),
    "exporters": ("flows", 200, 200),
    "forgetting": ("sets_waiting", 16 * 200, 200),
}
COSTLIEST = ("costly-layouts", "options", "exporters")
"""Those that are tried by default, each with a collector of its own for half a minute; all with MILLRACE_LONG=1."""

LONGEST_S = 600


@pytest.mark.skipif(not REQUIRED, reason="takes two minutes: with MILLRACE_REQUIRE_SERVICES=1, as in CI, or by hand")
@pytest.mark.alone
@pytest.mark.slow
@pytest.mark.service
@pytest.mark.timeout(LONGEST_S + 60)
def test_honest_exporters_lose_next_to_nothing_under_attack():
    chosen = [f"--attack={name}" for name in SENT if name in COSTLIEST or (LONG and name != "calm")]
    command = [sys.executable, SCRIPTS / "attack.py", *SMALL, *chosen]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
    try:
        output, _ = process.communicate(timeout=LONGEST_S)
    except subprocess.TimeoutExpired:
        # Asked to end, it ends what it started.
        process.send_signal(signal.SIGINT)
        output, _ = process.communicate(timeout=60)
    assert process.returncode == 0, output[-8000:]
    assert output.endswith("ok\n")


@pytest.fixture
def attacks(monkeypatch):
    monkeypatch.syspath_prepend(str(SCRIPTS))
    import attack
    from attacking import datagrams
    from soaking.accounts import Stored

    return SimpleNamespace(script=attack, datagrams=datagrams, stored=Stored)


def decoded(datagrams):
    """Counts by event or reason of what was sent, and addresses that it came from."""
    sent = list(datagrams)
    if not sent:
        return {}, set()
    counts, decoder = Counts(), Decoder(Schema())
    for first in range(0, len(sent), 100):
        part = sent[first : first + 100]
        batch = DatagramBatch.from_payloads([payload for _, payload in part], source=[who for who, _ in part])
        counts.add(decoder.decode(batch).counts)
    found = {}
    for (*_, what), amount in [*counts.events.items(), *counts.drops.items()]:
        found[what] = found.get(what, 0) + amount
    return found, {who for who, _ in sent}


@pytest.mark.parametrize("name", SENT)
def test_each_attack_sends_what_it_says(attacks, name):
    event, amount, sources = SENT[name]
    (attack,) = (attack for attack in attacks.datagrams.ATTACKS if attack.name == name)
    found, addresses = decoded(itertools.islice(attack.send(5), 200))
    assert (found.get(event, 0), len(addresses)) == (amount, sources)
    assert "bad-template" not in found
    assert "truncated" not in found
    assert all(address.startswith("127.") and int(address.split(".")[1]) >= 16 for address in addresses)


def test_costly_layouts_are_announced_first(attacks):
    (attack,) = (attack for attack in attacks.datagrams.ATTACKS if attack.name == "costly-layouts")
    found, addresses = decoded(attack.prepare(3))
    assert (found["templates"], len(addresses)) == (600, 2)


@pytest.fixture
def outcome(attacks):
    """An attack under which all is well: of 1000 flows 40 were lost, and counted, and none after it."""
    loss = attacks.script.Loss
    during, after = loss(1000, 48, attacks.stored(960, 960, 0)), loss(500, 0, attacks.stored(500, 500, 0))
    return attacks.script.Outcome(attacks.datagrams.ATTACKS[1], during, after, 0.3, 0.1, 1 << 30, 0.2, 1e6, 83)


def test_a_sound_outcome_has_no_fault(attacks, outcome):
    assert attacks.script.faults(outcome) == []


@pytest.mark.parametrize(
    ("stretch", "change", "fault"),
    [
        ("during", {"stored": (949, 949, 0)}, "at most 5% may"),
        ("during", {"counted": 39}, "are counted as lost"),
        ("during", {"stored": (961, 960, 0)}, "twice"),
        ("during", {"sent": 0}, "no honest flows were sent"),
        ("after", {"stored": (499, 499, 0)}, "after the attack"),
        ("after", {"stored": (501, 500, 0)}, "twice"),
    ],
)
def test_each_flow_too_few_or_too_many_is_a_fault(attacks, outcome, stretch, change, fault):
    made = {name: attacks.stored(*value) if isinstance(value, tuple) else value for name, value in change.items()}
    found = attacks.script.faults(replace(outcome, **{stretch: replace(getattr(outcome, stretch), **made)}))
    assert any(fault in one for one in found), found


@pytest.mark.parametrize("seconds", [None, 1.5])
def test_a_newcomer_that_waits_is_a_fault(attacks, outcome, seconds):
    (found,) = attacks.script.faults(replace(outcome, newcomer_s=seconds))
    assert "new exporter" in found


def test_decoding_that_does_not_keep_up_is_a_fault_though_nothing_is_lost_yet(attacks, outcome):
    (found,) = attacks.script.faults(replace(outcome, behind_s=2.5))
    assert "does not keep up" in found
