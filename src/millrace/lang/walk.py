"""A walk over the tokens of a text that need not be a filter (yet): what editors ask about."""

from __future__ import annotations

from collections.abc import Collection
from typing import cast

from lark import Token
from lark.exceptions import UnexpectedToken

from millrace.lang.grammar import PARSER
from millrace.lang.syntax import MAX_LENGTH

BLANK = frozenset({"WHITESPACE", "COMMENT"})
"""Terminals that the grammar passes over."""


def lexed(text: str) -> list[Token]:
    """Every token of the first `MAX_LENGTH` characters, blanks and comments too."""
    return list(PARSER.lex(text[:MAX_LENGTH], dont_ignore=True))


class Walk:
    """The parser, fed token by token. After one that does not fit it begins anew."""

    def __init__(self) -> None:
        self._parser = PARSER.parse_interactive("")

    @property
    def choices(self) -> Collection[str]:
        """Terminals that may come next, and some that cannot; quick."""
        return cast("Collection[str]", self._parser.choices())  # type: ignore[no-untyped-call]  # of lark

    @property
    def accepted(self) -> Collection[str]:
        """Terminals that may come next."""
        return cast("Collection[str]", self._parser.accepts())  # type: ignore[no-untyped-call]  # of lark

    def feed(self, token: Token) -> None:
        """Go past a token; blanks and comments change nothing."""
        if token.type in BLANK or self._takes(token):
            return
        self._parser = PARSER.parse_interactive("")
        self._takes(token)

    def _takes(self, token: Token) -> bool:
        try:
            self._parser.feed_token(token)
        except UnexpectedToken:
            return False
        return True
