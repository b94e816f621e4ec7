"""What may stand at the cursor."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Literal, TypeAlias

from lark import Token

from millrace.lang import offers
from millrace.lang.faults import FilterError
from millrace.lang.grammar import starts_condition, takes_operator, takes_value
from millrace.lang.literals import unquoted
from millrace.lang.names import DEFAULT_NAMES, Names
from millrace.lang.offers import Offer, Option, ranked
from millrace.lang.operators import MEANINGS, canonical, comparable, meaning, operators_of
from millrace.lang.parser import parse
from millrace.lang.syntax import MAX_LENGTH
from millrace.lang.walk import BLANK, Walk, lexed
from millrace.schema import Column, Schema

What: TypeAlias = Literal["column", "operator", "value", "keyword", "saved"]

_PATTERNS = frozenset({"LIKE", "NOT LIKE", "ILIKE", "NOT ILIKE", "~", "!~"})
_CLOSED = frozenset({"_LPAR", "_RPAR", "_COMMA", "DASH", "PLUS"})
_KEYWORDS = {
    "_AND": ("AND", "both"),
    "_OR": ("OR", "either"),
    "_RPAR": (")", "end of the group"),
    "_COMMA": (",", "next"),
}


@dataclass(frozen=True, slots=True)
class Completion:
    """What may stand at the cursor.

    Parameters
    ----------
    start, end : int
        Part of the text that an option replaces.
    what : {"column", "operator", "value", "keyword", "saved"}
        What is asked for.
    column : Column, optional
        For operators and values: the column that they belong to.
    prefix : str
        What was typed of it, without quotes.
    options : tuple of Option
        The best first. Values are those known without data; who has data adds its own.
    unfinished : bool
        Whether something stands there that means nothing by itself (``InIfProv``): an option may take its place
        unasked. What is complete (``6`` after ``Proto =``) is replaced by nothing but a choice.
    """

    start: int
    end: int
    what: What
    column: Column | None
    prefix: str
    options: tuple[Option, ...]
    unfinished: bool = False


def complete(
    text: str, cursor: int, schema: Schema, names: Names = DEFAULT_NAMES, saved: Sequence[str] = ()
) -> Completion:
    """What may stand at the cursor. Never raises, whatever the text.

    Parameters
    ----------
    text : str
    cursor : int
        Number of characters before the cursor.
    schema : Schema
    names : Names
    saved : sequence of str
        Names of the saved filters.
    """
    cursor = min(max(cursor, 0), len(text))
    if cursor > MAX_LENGTH:
        return _nothing(cursor)
    before, current = _split(lexed(text), cursor)
    if current is not None and current.type == "COMMENT":
        return _nothing(cursor)
    place = _Place(schema, names, saved)
    for token in before:
        place.feed(token)
    if current is not None and current.type == "SIGN" and not place.has_longer(current):
        place.feed(current)
        current = None
    return place.complete(_Typed.at(cursor, current), text)


def _nothing(cursor: int) -> Completion:
    return Completion(cursor, cursor, "keyword", None, "", ())


def _split(parts: Iterable[Token], cursor: int) -> tuple[list[Token], Token | None]:
    """Tokens before the cursor, and the one that it is in or at the end of."""
    before: list[Token] = []
    for token in parts:
        start = token.start_pos or 0
        end = start + len(token)
        if start >= cursor:
            break
        if end < cursor or (end == cursor and _is_closed(token)):
            before.append(token)
        elif token.type != "WHITESPACE":
            return before, token
    return before, None


def _is_closed(token: Token) -> bool:
    """Whether nothing can be added to a token by typing on at its end."""
    return token.type in _CLOSED or token.type == "STRING" or (token.type == "COMMENT" and token.startswith("/*"))


@dataclass(frozen=True, slots=True)
class _Typed:
    """What was typed already of the thing to complete."""

    start: int
    end: int
    prefix: str

    @classmethod
    def at(cls, cursor: int, token: Token | None) -> _Typed:
        if token is None:
            return cls(cursor, cursor, "")
        start = token.start_pos or 0
        if token.type == "UNCLOSED":
            return cls(start, cursor, unquoted(f"{token[: cursor - start]}{token[0]}"))
        typed = token[: cursor - start]
        return cls(start, start + len(token), unquoted(f"{typed}{token[0]}") if token.type == "STRING" else typed)


class _Place:
    """A place in a text: what was before it decides what may follow."""

    def __init__(self, schema: Schema, names: Names, saved: Sequence[str]) -> None:
        self._schema = schema
        self._names = names
        self._saved = saved
        self._columns = {column.name.casefold(): column for column in schema}
        self._walk = Walk()
        self._column: Column | None = None
        self._operator: list[str] = []

    def feed(self, token: Token) -> None:
        """Go past a token."""
        if token.type in BLANK:
            return
        choices = self._walk.choices
        if starts_condition(choices):
            self._column = self._columns.get(token.casefold())
            self._operator = []
        elif takes_operator(choices):
            self._operator.append(str(token))
        self._walk.feed(token)

    def has_longer(self, sign: Token) -> bool:
        """Whether typing on may make another operator of the column out of a sign."""
        known = operators_of(self._column) if self._column else ()
        return any(operator.startswith(sign) and operator != sign for operator in known)

    def complete(self, typed: _Typed, text: str) -> Completion:
        """What may stand here, in a text."""
        accepted = self._walk.accepted
        what: What
        if starts_condition(accepted):
            what, found = ("saved" if typed.prefix.startswith("@") else "column"), self._conditions()
            if what == "saved":
                found = list(offers.saved_filters(self._saved))
        elif takes_operator(accepted):
            what, found = "operator", self._operators(negated="SIGN" not in accepted)
        elif takes_value(accepted):
            what, found = "value", self._values(typed, listed="_COMMA" in accepted)
        else:
            what, found = "keyword", list(offers.words(_KEYWORDS[word] for word in _KEYWORDS if word in accepted))
        column = self._column if what in ("operator", "value") else None
        written = text[typed.start : typed.end]
        unfinished = bool(written) and not self._is_complete(written, what, found)
        return Completion(typed.start, typed.end, what, column, typed.prefix, ranked(typed.prefix, found), unfinished)

    def _is_complete(self, written: str, what: What, found: Iterable[Offer]) -> bool:
        """Whether something means what it says without an option in its place."""
        if any(offer.option.text.casefold() == written.casefold() for offer in found):
            return True
        if what != "value" or self._column is None:
            return False
        operator = canonical(*self._operator)
        shape = {"IN": "({0})", "NOT IN": "({0})", "BETWEEN": "{0} AND {0}", "NOT BETWEEN": "{0} AND {0}"}
        condition = f"{self._column.name} {operator} {shape.get(operator, '{0}').format(written)}"
        try:
            parse(condition, self._schema, self._names)
        except FilterError:
            return False
        return True

    def _conditions(self) -> list[Offer]:
        return [
            *offers.columns(self._schema),
            *offers.words([("NOT", "the contrary")]),
            *offers.saved_filters(self._saved),
        ]

    def _operators(self, *, negated: bool) -> list[Offer]:
        column = self._column
        known = operators_of(column) if column else tuple(MEANINGS)
        meanings = [(word, meaning(column, word) if column else MEANINGS[word]) for word in known]
        if negated:
            meanings = [(word[4:], text) for word, text in meanings if word.startswith("NOT ")]
        return list(offers.words(meanings))

    def _values(self, typed: _Typed, *, listed: bool) -> list[Offer]:
        column, operator = self._column, canonical(*self._operator)
        if column is None or operator in _PATTERNS:
            return []
        found = list(offers.values(column, self._names))
        if typed.prefix and not listed and operator in ("=", "!=", "<", "<=", ">", ">="):
            begun = typed.prefix.casefold()
            found += [
                offer
                for offer in offers.columns(self._schema)
                if offer.option.text.casefold().startswith(begun)
                and comparable(column, self._schema[offer.option.text])
            ]
        return found
