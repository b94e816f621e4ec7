"""What browsers keep for us is read exactly, whatever else they send."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from millrace.api.cookies import SESSION_COOKIE, read_cookie

HEADERS = st.binary(max_size=200).map(lambda raw: raw.decode("latin-1"))
"""As a header arrives."""

VALUES = st.from_regex(r"[A-Za-z0-9_-]{0,60}", fullmatch=True)


@given(header=HEADERS, secure=st.booleans())
def test_any_header_is_read(header, secure):
    found = read_cookie(header, SESSION_COOKIE, secure=secure)
    assert found == "" or f"{SESSION_COOKIE}={found}" in header


@given(before=HEADERS, value=VALUES, after=HEADERS, secure=st.booleans())
def test_a_cookie_is_found_among_others(before, value, after, secure):
    others = [text.replace(SESSION_COOKIE, "") for text in (before, after)]
    name = f"__Host-{SESSION_COOKIE}" if secure else SESSION_COOKIE
    assert read_cookie(f"{others[0]}; {name}={value};{others[1]}", SESSION_COOKIE, secure=secure) == value


@pytest.mark.parametrize(
    "name",
    [
        "\x85__Host-millrace_session",
        "\xa0__Host-millrace_session",
        "__Host-millrace_session\xa0",
        "__Host-millrace_session\x00",
        "__host-millrace_session",
        "__HOST-millrace_session",
        "$__Host-millrace_session",
        "millrace_session",
    ],
)
def test_a_name_that_resembles_one_with_the_prefix_is_another(name):
    """Browsers let a neighbour plant these; lenient parsers take them for the one."""
    assert read_cookie(f"{name}=planted", SESSION_COOKIE, secure=True) == ""


def test_without_https_the_prefix_is_no_session():
    assert read_cookie(f"__Host-{SESSION_COOKIE}=x", SESSION_COOKIE, secure=False) == ""
