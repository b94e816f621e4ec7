"""Batches of mutated datagrams (a small run of `scripts/fuzz.py`), and that the script notices what it looks for."""

import queue
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

SCRIPTS = Path(__file__).parents[2] / "scripts"


@pytest.mark.slow
@pytest.mark.timeout(300)
def test_mutated_batches_leave_counts_and_nothing_else():
    command = [sys.executable, SCRIPTS / "fuzz.py", "--datagrams", "250000"]
    done = subprocess.run(command, capture_output=True, text=True, timeout=290)
    assert done.returncode == 0, done.stdout[-5000:] + done.stderr[-5000:]
    assert done.stdout.endswith("ok\n")


@pytest.fixture
def fuzz(monkeypatch, tmp_path):
    monkeypatch.syspath_prepend(str(SCRIPTS))
    monkeypatch.setenv("TMPDIR", str(tmp_path))
    import fuzz

    monkeypatch.setattr(fuzz, "BATCH", 256)
    monkeypatch.setattr(fuzz.tempfile, "tempdir", str(tmp_path))
    return fuzz


def test_equal_seeds_give_equal_batches_and_every_kind_of_datagram(fuzz):
    corpus = fuzz.Corpus.build([])
    first, second = (fuzz.Mutator(corpus, 7).batch(3, 2000) for _ in range(2))
    assert np.array_equal(first.arena, second.arena)
    assert np.array_equal(first.start, second.start)
    versions = {first.payload(index)[:2] for index in range(len(first))}
    assert {b"\0\5", b"\0\x09", b"\0\x0a", b"\0\0"} <= versions
    # Some as they were, some shorter, some longer.
    known = {corpus.arena[a:b].tobytes() for a, b in zip(corpus.start, corpus.stop, strict=True)}
    whole = np.mean([first.payload(index) in known for index in range(len(first))])
    assert 0.2 < whole < 0.6


def test_an_exception_is_noticed_and_the_batch_is_kept(fuzz, tmp_path):
    running = fuzz.Fuzz(1, [])
    running._decoder = Breaking()
    with pytest.raises(fuzz.FuzzError, match="IndexError"):
        running.step(0)
    [kept] = tmp_path.glob("millrace-fuzz-1-0.txt")
    assert len(kept.read_text().splitlines()) == 256


class Breaking:
    def decode(self, _batch):
        raise IndexError("out of bounds")


@pytest.mark.parametrize("bound", ["MAX_SECONDS", "MAX_SECONDS_PER_DATAGRAM", "MAX_GROWTH_BYTES"])
def test_bounds_are_noticed(fuzz, monkeypatch, bound):
    monkeypatch.setattr(fuzz, bound, -1)
    with pytest.raises(fuzz.FuzzError):
        fuzz.Fuzz(1, []).step(0)


def test_a_batch_that_depends_on_its_cuts_is_noticed(fuzz, monkeypatch):
    class Forgetful(fuzz.Decoder):
        """Loses the first datagram of every batch."""

        def decode(self, batch):
            return super().decode(fuzz.part(batch, 1, len(batch)))

    running = fuzz.Fuzz(1, [])
    monkeypatch.setattr(fuzz, "Decoder", Forgetful)
    with pytest.raises(fuzz.FuzzError, match="cutting the batch"):
        running.step(0)


@pytest.mark.timeout(20)
def test_the_first_fault_ends_it(fuzz):
    told = queue.Queue()
    told.put((1, fuzz.Figures(), ""))
    told.put((2, fuzz.Figures(), "something is wrong"))
    assert fuzz.watch(2, told, 1.0, by_time=True)[1] == ["something is wrong"]
