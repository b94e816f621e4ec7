"""What completion offers: columns, values that are known without data, saved filters; and their order."""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from millrace.lang.literals import quoted
from millrace.lang.names import Names
from millrace.lang.text import value_text
from millrace.lang.values import is_country
from millrace.schema import Column, Kind, Schema

MAX_OPTIONS = 100
_MAX_PREFIX = 100
_NOT_FOUND = 3
_COMMON_PROTOCOLS = (6, 17, 1, 58, 50, 47, 132)
_PLAIN_NAME = re.compile(r"(?:[\w.]|-(?!-))+")


@dataclass(frozen=True, slots=True)
class Option:
    """Something to insert.

    Parameters
    ----------
    text : str
        What to insert, quoted where it must be.
    label : str
        What to show.
    detail : str
        What it is, in a few words.
    """

    text: str
    label: str
    detail: str


@dataclass(frozen=True, slots=True)
class Offer:
    """An option and what it is found by."""

    option: Option
    keys: tuple[str, ...]


def ranked(prefix: str, offers: Iterable[Offer]) -> tuple[Option, ...]:
    """Options that a prefix finds: it itself, those that begin with it, that hold it, that hold its letters in order.

    If none does, the nearest in spelling. Case does not matter. At most `MAX_OPTIONS`.
    """
    sought = prefix[:_MAX_PREFIX].casefold()
    candidates = list(offers)
    ranks = [(min(_rank(sought, key.casefold()) for key in offer.keys), offer.option) for offer in candidates]
    found = [option for rank, option in sorted(ranks, key=lambda pair: pair[0]) if rank < _NOT_FOUND]
    return tuple(found[:MAX_OPTIONS]) if found else _near(sought, candidates)


def _rank(sought: str, key: str) -> int:
    if key == sought:
        return -1
    if key.startswith(sought):
        return 0
    if sought in key:
        return 1
    letters = iter(key)
    return 2 if len(sought) > 1 and all(letter in letters for letter in sought) else _NOT_FOUND


def _near(sought: str, offers: Sequence[Offer]) -> tuple[Option, ...]:
    by_key = {key.casefold(): offer.option for offer in offers for key in offer.keys}
    return tuple(dict.fromkeys(by_key[key] for key in difflib.get_close_matches(sought, by_key, n=5)))


def columns(schema: Schema) -> Iterator[Offer]:
    """Columns, found by name and title."""
    for column in schema:
        yield Offer(Option(column.name, column.name, column.title), (column.name, column.title))


def saved_filters(names: Iterable[str]) -> Iterator[Offer]:
    """Saved filters, as they are used inside a filter."""
    for name in names:
        text = f"@{name if _PLAIN_NAME.fullmatch(name) else quoted(name)}"
        yield Offer(Option(text, name, "saved filter"), (name, f"@{name}"))


def words(meanings: Iterable[tuple[str, str]]) -> Iterator[Offer]:
    """Operators and keywords with their meanings."""
    for word, meaning in meanings:
        yield Offer(Option(word, word, meaning), (word,))


def values(column: Column, names: Names) -> Iterator[Offer]:
    """Values of a column that are known without data."""
    if column.kind is Kind.ENUM:
        for value in column.values:
            yield Offer(Option(value_text(column, value), value, column.title), (value,))
    elif is_country(column):
        for country in names.countries:
            yield Offer(Option(value_text(column, country.code), country.name, country.code), tuple(_flat(country)))
    elif column.display == "as":
        for number, name in names.autonomous_systems.items():
            yield Offer(Option(f"AS{number}", name, f"AS{number}"), (name, f"AS{number}", str(number)))
    elif column.display == "port":
        yield from _services(names)
    elif column.display == "protocol":
        yield from _protocols(column, names)
    elif column.display == "ethertype":
        for name, number in names.ethertypes.items():
            yield Offer(Option(name, name, f"0x{number:04x}"), (name, str(number)))


def _flat(country: tuple[str, str, str, tuple[str, ...]]) -> Iterator[str]:
    *codes, others = country
    yield from (str(code) for code in codes)
    yield from others


def _services(names: Names) -> Iterator[Offer]:
    for name, port in names.services:
        only = len(names.ports(name)) == 1
        yield Offer(Option(name if only else str(port), name, str(port)), (name, str(port)))


def _protocols(column: Column, names: Names) -> Iterator[Offer]:
    numbers = dict.fromkeys((*_COMMON_PROTOCOLS, *names.protocols.values()))
    for number in numbers:
        name = names.protocol(number).casefold()
        if name:
            yield Offer(Option(value_text(column, number), name, str(number)), (name, str(number)))
