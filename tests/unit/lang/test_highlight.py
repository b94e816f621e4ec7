"""Parts of a text for highlighting."""

import pytest

from millrace.lang import tokens
from millrace.lang.syntax import MAX_LENGTH


def kinds(text):
    return [(text[token.start : token.end], token.kind) for token in tokens(text)]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("SrcAS = AS1", "column operator number"),
        ("SrcAS notin (1, google)", "column keyword punctuation number punctuation name punctuation"),
        ("InIfName not like 'a' -- b", "column keyword keyword string comment"),
        ("/* a */ not @b", "comment keyword saved"),
        (
            "SrcAddr << ::/8 or SrcMAC = 00:11:22:33:44:55",
            "column operator address keyword column operator address",
        ),
        ("SrcAS = DstAS", "column operator name"),
        ("SrcCountry = IN and Dst", "column operator name keyword column"),
        ("a between 1 and 2-3", "column keyword number keyword number operator number"),
        ("TimeFlowEnd > TimeFlowStart + 90s", "column operator name operator number"),
        ("DstCommunities = 1:2 and t > 2026-01-31 12:00", "column operator number keyword column operator number"),
        ("SrcAS # 'open", "column error error"),
        ("SrcAS 5 and Dst = b", "column number keyword column operator name"),
        (") a = b", "punctuation column operator name"),
    ],
)
def test_kinds(text, expected):
    assert " ".join(kind for _, kind in kinds(text)) == expected


def test_places():
    assert kinds("SrcAS  =\n 'é' ") == [("SrcAS", "column"), ("=", "operator"), ("'é'", "string")]


def test_what_is_too_long_is_an_error_at_the_end():
    text = "SrcAS = " + " " * MAX_LENGTH + "1"
    assert tokens(text)[-1].kind == "error"
    assert (tokens(text)[-1].start, tokens(text)[-1].end) == (MAX_LENGTH, len(text))
