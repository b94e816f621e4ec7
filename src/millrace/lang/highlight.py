"""The parts of a text for highlighting."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, TypeAlias

import lark

from millrace.lang.grammar import starts_condition, takes_value
from millrace.lang.syntax import MAX_LENGTH
from millrace.lang.walk import Walk, lexed

TokenKind: TypeAlias = Literal[
    "keyword", "operator", "column", "string", "number", "address", "name", "saved", "comment", "punctuation", "error"
]

_KINDS: dict[str, TokenKind] = {
    "_AND": "keyword", "_OR": "keyword", "NOT": "keyword", "IN": "keyword", "NOTIN": "keyword", "LIKE": "keyword",
    "ILIKE": "keyword", "UNLIKE": "keyword", "IUNLIKE": "keyword", "BETWEEN": "keyword",
    "SIGN": "operator", "DASH": "operator", "PLUS": "operator",
    "STRING": "string", "NUMBER": "number", "COMMUNITY": "number", "TIME": "number", "ASN": "number",
    "ADDRESS": "address", "MAC": "address", "WORD": "name", "SAVED": "saved", "COMMENT": "comment",
    "_LPAR": "punctuation", "_RPAR": "punctuation", "_COMMA": "punctuation",
    "UNCLOSED": "error", "UNKNOWN": "error",
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Token:
    """A part of a text.

    Parameters
    ----------
    start, end : int
        First character and the one after the last.
    kind : str
    """

    start: int
    end: int
    kind: TokenKind


def tokens(text: str) -> list[Token]:
    """Parts of a text in order, blanks left out. Never raises, whatever the text.

    What is longer than a filter may be is one error at the end.
    """
    walk = Walk()
    found: list[Token] = []
    for part in lexed(text):
        if part.type != "WHITESPACE":
            start = part.start_pos or 0
            found.append(Token(start, start + len(part), _kind(part, walk)))
            walk.feed(part)
    if len(text) > MAX_LENGTH:
        found.append(Token(MAX_LENGTH, len(text), "error"))
    return found


def _kind(part: lark.Token, walk: Walk) -> TokenKind:
    if part.type in ("WORD", "ASN") and starts_condition(walk.choices):
        return "column"
    if part.type == "IN" and takes_value(walk.choices):
        return "name"
    return _KINDS[part.type]
