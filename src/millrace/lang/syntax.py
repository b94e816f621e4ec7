"""The parse tree of a text, and what is wrong where there is none."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import TypeAlias, cast

from lark import Token, Tree
from lark.exceptions import UnexpectedToken

from millrace.lang.faults import FilterError
from millrace.lang.grammar import PARSER, expected, takes_operator, takes_value
from millrace.lang.operators import MEANINGS
from millrace.lang.values import nearest

MAX_LENGTH = 10_000

Node: TypeAlias = "Tree[Token] | Token"


def syntax(text: str) -> Tree[Token]:
    """Parse tree of a text. Raises FilterError."""
    if len(text) > MAX_LENGTH:
        problem = f"a filter may have {MAX_LENGTH} characters at most, this one has {len(text)}"
        raise FilterError(problem, text, MAX_LENGTH, len(text))
    try:
        return PARSER.parse(text)
    except UnexpectedToken as error:
        raise _syntax_error(error, text) from None


def _syntax_error(error: UnexpectedToken, text: str) -> FilterError:
    token = cast("Token", error.token)
    accepted = _accepted_before(token, text)
    wanted = expected(accepted)
    listed = " or ".join((", ".join(wanted[:-1]), wanted[-1])) if len(wanted) > 1 else wanted[0]
    if token.type == "$END":
        end = len(text)
        return FilterError(f"{listed} is expected here, where the filter ends", text, end, end, wanted)
    start, end = extent(token)
    if token.type == "UNCLOSED":
        return FilterError(unclosed(token), text, start, end, wanted)
    shown = str(token) if len(token) <= 50 else f"{token[:50]}…"
    near = nearest(token, MEANINGS) if takes_operator(accepted) else ""
    hint = "; put texts with such characters into quotes" if token.type == "UNKNOWN" and takes_value(accepted) else ""
    return FilterError(f"{listed} is expected, not {shown!r}{hint}", text, start, end, wanted, near)


def _accepted_before(bad: Token, text: str) -> Collection[str]:
    """Terminals that may stand in a token's place.

    The parser that failed does not know them all: it has finished already what could still go on (LALR).
    """
    parser = PARSER.parse_interactive("")
    for token in PARSER.lex(text):
        if bad.type != "$END" and (token.start_pos or 0) >= (bad.start_pos or 0):
            break
        parser.feed_token(token)
    return cast("Collection[str]", parser.accepts())  # type: ignore[no-untyped-call]  # of lark


def unclosed(token: Token) -> str:
    """What is wrong with a text or comment that does not end."""
    return "this comment is not closed by '*/'" if token.startswith("/*") else f"the quote {token[0]} is not closed"


def extent(node: Node) -> tuple[int, int]:
    """First character of a node and the one after its last."""
    first, last = _end_token(node, 0), _end_token(node, -1)
    return first.start_pos or 0, (last.start_pos or 0) + len(last)


def _end_token(node: Node, side: int) -> Token:
    """The first or last token of a node, which may be nested thousands of levels deep before that is refused."""
    while not isinstance(node, Token):
        node = [child for child in node.children if child is not None][side]
    return node


def fault(
    text: str, where: Node | Sequence[Node], problem: str, wanted: tuple[str, ...] = (), suggestion: str = ""
) -> FilterError:
    """What is wrong with a node of a text, or with several neighbours."""
    nodes = [where] if isinstance(where, Token | Tree) else where
    return FilterError(problem, text, extent(nodes[0])[0], extent(nodes[-1])[1], wanted, suggestion)


def refuse_surrogates(text: str, part: str, token: Token | None = None) -> None:
    """Refuse what is no Unicode text, and could not be sent to a store; `part` is a token's text, or all of it."""
    try:
        part.encode()
    except UnicodeEncodeError as error:
        start, end = extent(token) if token is not None else (error.start, error.start + 1)
        raise FilterError("half of a surrogate pair is not a character", text, start, end) from None
