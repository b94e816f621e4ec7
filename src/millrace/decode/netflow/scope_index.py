"""Finds the registered scopes of a whole batch at once, by address, version, port and domain."""

from __future__ import annotations

from typing import Generic, Protocol, TypeVar

import numpy as np

from millrace.batch.arrays import I64, AnyArray
from millrace.decode.netflow.headers import Headers
from millrace.decode.netflow.runs import ABSENT, SortedRuns

_MIX = np.array([0x9E3779B97F4A7C15, 0xC2B2AE3D27D4EB4F, 0x165667B19E3779F9], np.uint64)
_NOBODY = np.iinfo(np.uint64).max
"""In the third of three words: of no version, so of no datagram."""
_FIRST_PLACES = 64
_DENSE = 8
"""Places per datagram up to which marking those of a batch in an array of all is cheaper than sorting them."""


class Placed(Protocol):
    """What the index holds; `place` is where, negative if it is not in it."""

    place: int


_Scope = TypeVar("_Scope", bound=Placed)


class ScopeIndex(Generic[_Scope]):
    """Scopes by their three words (`words_of`).

    To add some costs what is added, however many there are. Should two be
    chosen so that their words mix to the same number, one of them is not found.
    """

    def __init__(self) -> None:
        self._words = np.full((_FIRST_PLACES, 3), _NOBODY, np.uint64)
        self._scopes: list[_Scope | None] = []
        self._free: list[int] = []
        self._by_mix = SortedRuns()

    def find(self, words: AnyArray) -> I64:
        """Place of the scope of each row; `ABSENT` where it is not found.

        Parameters
        ----------
        words : ndarray of uint64, shape (n, 3)
        """
        if (words == words[0]).all():
            return np.repeat(self._find(words[:1]), len(words))
        return self._find(words)

    def _find(self, words: AnyArray) -> I64:
        place = self._by_mix.find(mix(words).view(np.int64))
        # Where nothing was found the last row answers, which may be that of somebody: it has other words.
        same = self._words[place] == words
        return place if same.all() else np.where(same.all(axis=1), place, ABSENT)

    def distinct(self, place: I64) -> tuple[I64, I64]:
        """The places of a batch, each once and in order, and which of these each row has.

        Parameters
        ----------
        place : ndarray of int64, shape (n,)
            None is `ABSENT`.
        """
        if len(self._scopes) > _DENSE * len(place):
            which, index = np.unique(place, return_inverse=True)
            return which, index.reshape(-1)
        present = np.bincount(place, minlength=len(self._scopes)) > 0
        if present.all():
            return np.arange(len(present)), place
        which = np.flatnonzero(present)
        return which, (np.cumsum(present) - 1)[place]

    def at(self, places: I64) -> tuple[AnyArray, list[_Scope]]:
        """Words and scopes of some places that were found."""
        scopes = [scope for place in places.tolist() if (scope := self._scopes[place]) is not None]
        return self._words[places], scopes

    def add(self, scopes: list[_Scope], words: AnyArray) -> None:
        """Hold scopes that were not held before.

        Parameters
        ----------
        scopes : list
        words : ndarray of uint64, shape (n, 3)
            Theirs.
        """
        for scope in scopes:
            if self._free:
                scope.place = self._free.pop()
                self._scopes[scope.place] = scope
            else:
                scope.place = len(self._scopes)
                self._scopes.append(scope)
        while len(self._words) < len(self._scopes):
            self._words = np.concatenate([self._words, np.full_like(self._words, _NOBODY)])
        places = np.array([scope.place for scope in scopes], np.int64)
        self._words[places] = words
        mixes, first = np.unique(mix(words).view(np.int64), return_index=True)
        self._by_mix.put(mixes, places[first])

    def remove(self, scopes: list[_Scope]) -> None:
        """Forget scopes; those that are not held are left alone."""
        places = np.array([scope.place for scope in scopes if scope.place >= 0], np.int64)
        if not len(places):
            return
        mixes = np.unique(mix(self._words[places]).view(np.int64))
        self._by_mix.put(mixes, np.full(len(mixes), ABSENT))
        self._words[places] = _NOBODY
        for scope in scopes:
            if scope.place >= 0:
                self._scopes[scope.place] = None
                self._free.append(scope.place)
                scope.place = ABSENT


def mix(words: AnyArray) -> AnyArray:
    """Three words as one, shape (n,)."""
    mixed: AnyArray = (words[:, 0] * _MIX[0]) ^ (words[:, 1] * _MIX[1]) ^ (words[:, 2] * _MIX[2])
    return mixed


def words_of(headers: Headers) -> AnyArray:
    """Address, then version, port and domain of each datagram as three 64-bit words, shape (n, 3)."""
    words = np.empty((len(headers), 3), np.uint64, order="F")  # Each word is written and compared as a whole.
    words[:, :2] = np.ascontiguousarray(headers.source).view(np.uint64).reshape(-1, 2)
    words[:, 2] = (headers.version << 48) | (headers.port << 32) | headers.domain
    return words


def distinct_words(words: AnyArray) -> tuple[I64, I64]:
    """Index of the first of each distinct row, and which of them each row is."""
    if (words == words[0]).all():
        return np.zeros(1, np.int64), np.zeros(len(words), np.int64)
    _, first, index = np.unique(mix(words), return_index=True, return_inverse=True)
    if not np.array_equal(words[first][index], words):
        # Chosen so that their mix collides: compare whole rows.
        _, first, index = np.unique(words, axis=0, return_index=True, return_inverse=True)
    return first, index.reshape(-1)
