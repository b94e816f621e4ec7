"""Cookies: what browsers keep for us, under names that no neighbour can write where HTTPS allows that."""

from __future__ import annotations

from fastapi import Response

from millrace.access import Presented

SESSION_COOKIE = "millrace_session"
DEVICE_COOKIE = "millrace_device"
PENDING_COOKIE = "millrace_oidc"
_HOST = "__Host-"


def name_of(cookie: str, *, secure: bool) -> str:
    """Name under which a browser keeps a cookie.

    With the prefix, browsers take it only over HTTPS, from this host itself and for all of it (RFC 6265bis
    §4.1.3.2): neither a neighbour in the same domain nor somebody on the way can plant one.
    """
    return f"{_HOST}{cookie}" if secure else cookie


def read_cookie(header: str, cookie: str, *, secure: bool) -> str:
    """Value of a cookie in a ``Cookie`` header; empty if it is not there.

    Names are compared as they stand, without the leniency of usual parsers: a name that only resembles one with
    the prefix can be planted.
    """
    wanted = name_of(cookie, secure=secure)
    for pair in header.split(";"):
        name, _, value = pair.strip(" \t").partition("=")
        if name == wanted:
            return value
    return ""


def keep_cookie(response: Response, presented: Presented, cookie: str, value: str, seconds: int) -> None:
    """Have a browser keep something that neither scripts nor other sites get."""
    response.set_cookie(
        name_of(cookie, secure=presented.secure),
        value,
        max_age=seconds,
        path="/",
        httponly=True,
        samesite="lax",
        secure=presented.secure,
    )


def drop_cookie(response: Response, presented: Presented, cookie: str) -> None:
    """Have a browser forget it."""
    name = name_of(cookie, secure=presented.secure)
    # Without `Secure` browsers would not touch one whose name has the prefix.
    response.delete_cookie(name, path="/", httponly=True, samesite="lax", secure=presented.secure)
