"""The grammar, built once, and what its terminals are called by users."""

from __future__ import annotations

from collections.abc import Collection
from importlib import resources

from lark import Lark

_VALUES = frozenset({"WORD", "STRING", "NUMBER", "ADDRESS", "MAC", "COMMUNITY", "ASN", "TIME"})
_OPERATORS = frozenset({"SIGN", "LIKE", "ILIKE", "UNLIKE", "IUNLIKE", "BETWEEN", "NOTIN"})
_WORDS = {
    "_AND": "AND", "_OR": "OR", "NOT": "NOT", "_LPAR": "'('", "_RPAR": "')'", "_COMMA": "','", "$END": "the end",
}  # fmt: skip

KEYWORDS = frozenset({"AND", "OR", "NOT", "IN", "NOTIN", "LIKE", "ILIKE", "UNLIKE", "IUNLIKE", "BETWEEN"})
"""Words that are no values unless they are quoted."""

PARSER = Lark(resources.files("millrace.lang").joinpath("filter.lark").read_text("ascii"), parser="lalr", lexer="basic")
"""The parser of the language. Made on import, so by one thread: in two at once Python 3.11's ``ast`` fails."""


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
