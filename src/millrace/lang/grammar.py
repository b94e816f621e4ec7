"""The grammar, built once, and what its terminals are called by users."""

from __future__ import annotations

import threading
from collections.abc import Collection
from functools import cache
from importlib import resources

from lark import Lark

_VALUES = frozenset({"WORD", "STRING", "NUMBER", "ADDRESS", "MAC", "COMMUNITY", "ASN", "TIME"})
_OPERATORS = frozenset({"SIGN", "LIKE", "ILIKE", "UNLIKE", "IUNLIKE", "BETWEEN", "NOTIN"})
_WORDS = {
    "_AND": "AND", "_OR": "OR", "NOT": "NOT", "_LPAR": "'('", "_RPAR": "')'", "_COMMA": "','", "$END": "the end",
}  # fmt: skip

KEYWORDS = frozenset({"AND", "OR", "NOT", "IN", "NOTIN", "LIKE", "ILIKE", "UNLIKE", "IUNLIKE", "BETWEEN"})
"""Words that are no values unless they are quoted."""

_making = threading.Lock()
"""Two threads that make a grammar at once meet an error of Python 3.11: recursion depth mismatch in ``ast``."""


def grammar() -> Lark:
    """The parser of the language; any number of threads may use it at once."""
    with _making:
        return _grammar()


@cache
def _grammar() -> Lark:
    text = resources.files("millrace.lang").joinpath("filter.lark").read_text("ascii")
    return Lark(text, parser="lalr", lexer="basic")


def starts_condition(accepted: Collection[str]) -> bool:
    """Whether a condition may begin where these terminals are accepted: a word there is a column."""
    return "SAVED" in accepted


def takes_operator(accepted: Collection[str]) -> bool:
    """Whether an operator may stand where these terminals are accepted."""
    return "LIKE" in accepted


def takes_value(accepted: Collection[str]) -> bool:
    """Whether a value may stand where these terminals are accepted."""
    return "STRING" in accepted


def expected(accepted: Collection[str]) -> tuple[str, ...]:
    """What may stand where these terminals are accepted, in users' words."""
    if starts_condition(accepted):
        return ("a column", "NOT", "'('", "a saved filter")
    if takes_operator(accepted):
        return ("an operator",) if "SIGN" in accepted else ("IN", "LIKE", "ILIKE", "BETWEEN")
    if takes_value(accepted):
        return ("a value",)
    return tuple(words for terminal, words in _WORDS.items() if terminal in accepted)
