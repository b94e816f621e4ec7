"""Names, ids and lengths."""

from __future__ import annotations

import re
import secrets
import unicodedata

from millrace.errors import InvalidError

_USER = re.compile(r"[^\W_][\w.@+\-]{0,99}")
_ID_BYTES = 9
_ID = re.compile(r"[A-Za-z0-9_-]{1,64}")


def user_name(text: str) -> str:
    """One spelling of a user's name: lower case, composed.

    Raises
    ------
    InvalidError
        If it is no name.
    """
    name = unicodedata.normalize("NFKC", text[:400].strip()).casefold()
    if not _USER.fullmatch(name):
        raise InvalidError("a user name has 1 to 100 letters, digits or . @ + - _ and begins with a letter or digit")
    return name


def new_id() -> str:
    """Random id: twelve characters that a URL can hold."""
    return secrets.token_urlsafe(_ID_BYTES)


def is_id(text: str) -> bool:
    """Whether a text can be an id of ours."""
    return _ID.fullmatch(text) is not None


def bounded(what: str, text: str, most: int, least: int = 0) -> str:
    """The text if it is of a length that may be kept.

    Raises
    ------
    InvalidError
        If it is too short or too long, or holds a NUL (which PostgreSQL cannot keep).
    """
    if not least <= len(text) <= most:
        raise InvalidError(f"{what}: {len(text)} characters; it must have {least} to {most}")
    if "\0" in text:
        raise InvalidError(f"{what}: holds the character NUL")
    return text
