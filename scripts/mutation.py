"""Mutate whole batches of datagrams at once, for `scripts/fuzz.py`: no loop over datagrams."""

from __future__ import annotations

import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from millrace.batch import ARENA_PADDING, DatagramBatch, address_bytes
from millrace.generate import PROTOCOLS, LoadPool
from millrace.receive import read_capture

U8 = NDArray[np.uint8]
I64 = NDArray[np.int64]

LONGEST = 9_000
"""Bytes of a mutated datagram, at most: a jumbo frame."""

PARTS_MUTATED = 0.7
"""Share of a batch that is mutated; the rest is as it was, so that there is always something to break."""

_WORDS = np.array([0, 1, 2, 3, 4, 5, 7, 9, 10, 16, 24, 255, 256, 257, 258, 0x7FFF, 0x8000, 0xFFFE, 0xFFFF], np.uint16)
_BYTES = np.array([0, 1, 2, 4, 0x7F, 0x80, 0xFE, 0xFF], np.uint8)
_LENGTH_OFFSETS = np.array([0, 2, 16, 18, 20, 22, 24, 26, 28], np.int64)
"""Where headers have versions, counts and lengths, and first sets or samples their ids and lengths."""

_ANNOUNCED_SHARE = 0.03
_RANDOM_SHARE = 0.02
_CLOCK_STEP_NS = 50_000_000
"""Time between batches, as if a hundred thousand datagrams came a second."""


def gather(arena: U8, begin: I64, length: I64) -> U8:
    """Bytes of pieces of an arena, one after the other."""
    ends = np.cumsum(length)
    index = np.arange(int(ends[-1]) if len(ends) else 0, dtype=np.int64)
    index += np.repeat(begin - (ends - length), length)
    return arena[index]


@dataclass(slots=True)
class Corpus:
    """Datagrams to start from, in one arena; templates apart, for they are few in a real stream.

    Attributes
    ----------
    arena : ndarray of uint8
    start, stop : ndarray of int64, shape (n,)
    source : ndarray of int64, shape (n,)
        Number of the exporter that sends a datagram.
    announced : ndarray of int64
        Which datagrams announce templates.
    time_ns : int
        When it was made; batches come later.
    """

    arena: U8
    start: I64
    stop: I64
    source: I64
    announced: I64
    time_ns: int
    others: I64 = field(init=False)

    def __post_init__(self) -> None:
        self.others = np.setdiff1d(np.arange(len(self.start)), self.announced)

    @classmethod
    def build(cls, captures: list[Path]) -> Corpus:
        """Synthetic datagrams of every protocol, short and full ones, and those of captures."""
        payloads: list[bytes] = [bytes(12), b"\0\5\0\1", b"\0\x0a\0\x10"]
        source, announced, now_ns = [0, 0, 0], [], time.time_ns()
        for exporter in range(24):
            protocol = PROTOCOLS[exporter % len(PROTOCOLS)]
            pool = LoadPool(protocol, datagrams=8, flows_per_datagram=(1, 2, 7)[exporter // 8], seed=exporter)
            preamble = pool.preamble(now_ns)
            for datagrams in (preamble, pool.take(8, now_ns)):
                if datagrams is not None:
                    announced += [len(payloads)] if datagrams is preamble else []
                    payloads += datagrams.payloads()
                    source += [exporter] * len(datagrams)
        for number, path in enumerate(captures):
            for batch in read_capture(path):
                taken = [batch.payload(index)[:LONGEST] for index in range(min(len(batch), 200))]
                # What is not known to be data alone counts as an announcement: it may hold templates.
                announced += [
                    len(payloads) + index
                    for index, payload in enumerate(taken)
                    if payload[:2] in (b"\0\x09", b"\0\x0a") and len(payload) < 400
                ]
                payloads += taken
                source += [100 + number] * len(taken)
        stop = np.cumsum([len(p) for p in payloads], dtype=np.int64)
        arena = np.frombuffer(b"".join(payloads), np.uint8)
        start = stop - np.array([len(p) for p in payloads], np.int64)
        return cls(arena, start, stop, np.array(source, np.int64), np.array(announced, np.int64), now_ns)

    def announcements(self) -> DatagramBatch:
        """All templates, unharmed."""
        chosen = self.announced
        length = self.stop[chosen] - self.start[chosen]
        return _batch(gather(self.arena, self.start[chosen], length), length, self.source[chosen], self.time_ns)


@dataclass(slots=True)
class Mutator:
    """Makes batches, each from a seed of its own.

    Parameters
    ----------
    corpus : Corpus
    seed : int
    """

    corpus: Corpus
    seed: int

    def batch(self, number: int, size: int) -> DatagramBatch:
        """Batch `number` of `size` datagrams; equal seeds and numbers give equal batches."""
        rng, corpus = np.random.default_rng([self.seed, number]), self.corpus
        chosen = corpus.others[rng.integers(0, len(corpus.others), size)]
        announces = rng.random(size) < _ANNOUNCED_SHARE
        chosen[announces] = corpus.announced[rng.integers(0, len(corpus.announced), int(announces.sum()))]
        mutated = rng.random(size) < PARTS_MUTATED
        data, length = _spliced(rng, corpus, chosen, mutated)
        start = np.cumsum(length) - length
        targets = np.flatnonzero(mutated & (length > 0))
        if len(targets):
            for mutate in (_flip, _overwrite, _words, _headers, _segments, _noise):
                mutate(rng, data, start, length, targets)
        # Mostly the exporter that the datagram is from, so that its templates fit; else any.
        source = np.where(rng.random(size) < 0.95, corpus.source[chosen], rng.integers(0, 120, size))
        return _batch(data, length, source, corpus.time_ns + number * _CLOCK_STEP_NS)


def _batch(data: U8, length: I64, source: I64, time_ns: int) -> DatagramBatch:
    arena = np.concatenate([data, np.zeros(ARENA_PADDING, np.uint8)])
    stop = np.cumsum(length)
    size = len(length)
    addresses = np.tile(np.frombuffer(address_bytes("198.18.0.0"), np.uint8), (size, 1))
    addresses[:, 14], addresses[:, 15] = source >> 8, source & 0xFF
    return DatagramBatch(
        arena, stop - length, stop, addresses, np.full(size, 50_000, np.uint16),
        np.full(size, time_ns, np.int64), np.full(size, 2055, np.uint16),
    )  # fmt: skip


def _spliced(rng: np.random.Generator, corpus: Corpus, chosen: I64, mutated: NDArray[np.bool_]) -> tuple[U8, I64]:
    """Cut datagrams, and append the ends of others, or of themselves (records repeated)."""
    size = len(chosen)
    length = corpus.stop[chosen] - corpus.start[chosen]
    cut = mutated & (rng.random(size) < 0.2)
    head = np.where(cut, (length * rng.random(size)).astype(np.int64), length)
    itself = rng.random(size) < 0.5
    other = np.where(itself, chosen, rng.integers(0, len(corpus.start), size))
    other_length = corpus.stop[other] - corpus.start[other]
    skipped = (other_length * rng.random(size)).astype(np.int64)
    appends = mutated & (rng.random(size) < 0.15)
    tail = np.where(appends, np.minimum(other_length - skipped, LONGEST - head), 0)
    begin = np.stack([corpus.start[chosen], corpus.start[other] + skipped], axis=1).reshape(-1)
    pieces = np.stack([head, tail], axis=1).reshape(-1)
    return gather(corpus.arena, begin, pieces), head + tail


def _some(rng: np.random.Generator, targets: I64, share: float) -> I64:
    """Some of the targets; one may come twice."""
    return targets[rng.integers(0, len(targets), max(1, int(len(targets) * share)))]


def _places(rng: np.random.Generator, start: I64, length: I64, rows: I64) -> I64:
    """A byte of each of some datagrams, as often near the front as anywhere."""
    reach = np.where(rng.random(len(rows)) < 0.5, np.minimum(length[rows], 64), length[rows])
    return start[rows] + (rng.random(len(rows)) * reach).astype(np.int64)


def _flip(rng: np.random.Generator, data: U8, start: I64, length: I64, targets: I64) -> None:
    at = _places(rng, start, length, _some(rng, targets, 0.8))
    data[at] ^= np.left_shift(1, rng.integers(0, 8, len(at))).astype(np.uint8)


def _overwrite(rng: np.random.Generator, data: U8, start: I64, length: I64, targets: I64) -> None:
    at = _places(rng, start, length, _some(rng, targets, 0.5))
    data[at] = rng.choice(_BYTES, len(at))


def _put_words(data: U8, at: I64, words: NDArray[Any]) -> None:
    inside = at + 1 < len(data)
    at, words = at[inside], words[inside]
    data[at], data[at + 1] = words >> 8, words & 0xFF


def _words(rng: np.random.Generator, data: U8, start: I64, length: I64, targets: I64) -> None:
    """Lengths, counts and ids are two bytes at even places."""
    rows = _some(rng, targets, 0.4)
    at = start[rows] + ((_places(rng, start, length, rows) - start[rows]) & ~1)
    _put_words(data, at, rng.choice(_WORDS, len(at)))


def _headers(rng: np.random.Generator, data: U8, start: I64, length: I64, targets: I64) -> None:
    """Versions, counts and lengths where headers have them: one of note, or one that is nearly right."""
    rows = _some(rng, targets, 0.3)
    rows = rows[length[rows] > 32]
    at = start[rows] + rng.choice(_LENGTH_OFFSETS, len(rows))
    near = np.clip(length[rows] - rng.integers(-8, 40, len(rows)), 0, 0xFFFF).astype(np.uint16)
    _put_words(data, at, np.where(rng.random(len(rows)) < 0.5, near, rng.choice(_WORDS, len(rows))))


def _segments(rng: np.random.Generator, data: U8, start: I64, length: I64, targets: I64) -> None:
    """Copy stretches from any place of the batch over stretches of datagrams: foreign sets, records, templates."""
    rows = _some(rng, targets, 0.1)
    at = _places(rng, start, length, rows)
    size = np.minimum(rng.integers(1, 200, len(rows)), start[rows] + length[rows] - at)
    origin = (rng.random(len(rows)) * (len(data) - size)).astype(np.int64)
    _copy(data, at, gather(data, origin, size), size)


def _noise(rng: np.random.Generator, data: U8, start: I64, length: I64, targets: I64) -> None:
    """Nothing but noise behind the version."""
    rows = np.unique(_some(rng, targets, _RANDOM_SHARE))
    rows = rows[length[rows] > 4]
    size = length[rows] - 4
    _copy(data, start[rows] + 4, rng.integers(0, 256, int(size.sum()), np.uint8), size)


def _copy(data: U8, at: I64, values: U8, size: I64) -> None:
    ends = np.cumsum(size)
    if len(ends):
        data[np.arange(int(ends[-1])) + np.repeat(at - (ends - size), size)] = values
