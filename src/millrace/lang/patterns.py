"""Patterns of texts: LIKE and regular expressions, as the store understands them."""

from __future__ import annotations

import re

import pyarrow as pa
import pyarrow.compute as pc

_LIKE = re.compile(r"\\[%_\\]|[%_]|[^%_\\]+|\\", re.DOTALL)


def like_problem(pattern: str) -> str:
    """What is wrong with a pattern of LIKE, or empty."""
    if "\0" in pattern:
        return "a pattern may not hold the character NUL"
    backslashes = len(pattern) - len(pattern.rstrip("\\"))
    return "the pattern ends in a single backslash; double it" if backslashes % 2 else ""


def regex_problem(pattern: str) -> str:
    """What is wrong with a regular expression (RE2), or empty."""
    if "\0" in pattern:
        return "a pattern may not hold the character NUL"
    try:
        pc.match_substring_regex(pa.scalar(""), pattern)
    except (pa.ArrowInvalid, pa.ArrowException) as error:
        reason = str(error).rpartition("Invalid regular expression: ")[2].splitlines()[0]
        return f"the regular expression is not valid (RE2): {reason}"
    return ""


def like_regex(pattern: str) -> str:
    r"""Regular expression of a pattern of LIKE: ``%`` is any text, ``_`` any character.

    ``\%``, ``\_`` and ``\\`` stand for the characters themselves; a backslash before anything else is a backslash.
    """
    return rf"(?s)\A{''.join(_part(match[0]) for match in _LIKE.finditer(pattern))}\z"


def _part(part: str) -> str:
    match part:
        case "%":
            return ".*"
        case "_":
            return "."
        case _ if part[0] == "\\" and len(part) > 1:
            return _literal(part[1])
        case _:
            return "".join(map(_literal, part))


def _literal(character: str) -> str:
    """A character in RE2, which knows fewer escapes than Python's `re`."""
    return f"\\{character}" if character in r"\.+*?()|[]{}^$" else character
