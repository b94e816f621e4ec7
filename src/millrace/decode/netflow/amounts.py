"""Who holds how much of what is bounded for all together."""

from __future__ import annotations

from collections.abc import Hashable
from typing import Generic, TypeVar

_Owner = TypeVar("_Owner", bound=Hashable)

_EXACT_BITS = 5
"""Amounts are told apart by so many leading bits: one in sixteen."""


class Amounts(Generic[_Owner]):
    """Amounts by owner; who holds most is known at once, so that making room does not go through all of them."""

    def __init__(self) -> None:
        self._held: dict[_Owner, int] = {}
        self._owners: dict[int, dict[_Owner, None]] = {}
        self._top = 0
        self.total = 0

    def __len__(self) -> int:
        return len(self._held)

    def of(self, owner: _Owner) -> int:
        """What an owner holds."""
        return self._held.get(owner, 0)

    def set(self, owner: _Owner, amount: int) -> None:
        """An owner now holds so much; 0: nothing, it is forgotten."""
        before = self._held.pop(owner, 0)
        self.total += amount - before
        if amount:
            self._held[owner] = amount
        old, new = _class_of(before), _class_of(amount)
        if old == new:
            return
        if before:
            owners = self._owners[old]
            del owners[owner]
            if not owners:
                del self._owners[old]
        if amount:
            self._owners.setdefault(new, {})[owner] = None
        self._top = max(self._top, new)
        while self._top and self._top not in self._owners:
            self._top -= 1

    def greediest(self) -> tuple[_Owner, int] | None:
        """Whoever holds most, to one part in sixteen, and how much; None: nobody holds anything."""
        if not self._top:
            return None
        owner = next(iter(self._owners[self._top]))
        return owner, self._held[owner]


def _class_of(amount: int) -> int:
    """Rises with the amount; a few hundred classes are enough for any."""
    bits = amount.bit_length()
    if bits <= _EXACT_BITS:
        return amount
    return bits << (_EXACT_BITS - 1) | (amount >> (bits - _EXACT_BITS)) & 0xF
