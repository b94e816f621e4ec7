"""What may be asked: one statement that reads.

The engine's read-only mode refuses what changes data. It lets SYSTEM and KILL
statements pass, and runs several statements one after the other.
"""

from __future__ import annotations

import re

from millrace.errors import QueryError

_READING = frozenset({"SELECT", "WITH", "FROM", "SHOW", "DESCRIBE", "DESC", "EXPLAIN", "EXISTS", "VALUES"})
_TOKEN = re.compile(
    r"""
    '(?:\\.|[^'\\])*' | "(?:\\.|[^"\\])*" | `(?:\\.|[^`\\])*`   # texts and quoted names
    | (?P<comment>--[^\n]*|\#![^\n]*|/\*.*?\*/)
    | (?P<end>;)
    | (?P<word>\w+)
    | .
    """,
    re.VERBOSE | re.DOTALL,
)


def single(sql: str) -> str:
    """The statement without its final semicolon.

    Raises
    ------
    QueryError
        If there is no statement, more than one, or one that does not read.
    """
    word = ""
    end = 0
    ended = False
    for token in _TOKEN.finditer(sql):
        if token["comment"] or token[0].isspace():
            continue
        if token["end"]:
            ended = True
            continue
        if ended:
            raise QueryError("one statement at a time, please: there is more after the semicolon")
        word = word or (token["word"] or "").upper()
        end = token.end()
    if word not in _READING:
        raise QueryError(f"only statements that read are answered here ({', '.join(sorted(_READING))}), not {word!r}")
    return sql[:end]
