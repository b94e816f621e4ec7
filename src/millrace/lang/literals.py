"""Strings of the language: quotes and escapes, both ways."""

from __future__ import annotations

import re

_ESCAPE = re.compile(r"\\(u[0-9a-fA-F]{4}|.)", re.DOTALL)
_ESCAPED = {"\\": "\\", '"': '"', "'": "'", "n": "\n", "r": "\r", "t": "\t"}
_ESCAPES = {"\\": "\\\\", '"': '\\"', "\n": "\\n", "\r": "\\r", "\t": "\\t"}
_SPECIAL = re.compile(r'[\\"\x00-\x1f\x7f-\x9f\u2028\u2029]')


def unquoted(literal: str) -> str:
    r"""Text of a quoted literal.

    ``\\``, ``\"``, ``\'``, ``\n``, ``\r``, ``\t`` and ``\u`` with four hexadecimal digits are escapes. Any other
    backslash stands for itself, so that patterns (``"\d+\.example"``) need no second one.
    """
    return _ESCAPE.sub(_character, literal[1:-1])


def _character(match: re.Match[str]) -> str:
    escape = match[1]
    if len(escape) == 5:
        return chr(int(escape[1:], 16))
    return _ESCAPED.get(escape, match[0])


def quoted(text: str) -> str:
    """Literal of a text, in double quotes, on one line."""
    return f'"{_SPECIAL.sub(_escape, text)}"'


def _escape(match: re.Match[str]) -> str:
    return _ESCAPES.get(match[0]) or f"\\u{ord(match[0]):04x}"
