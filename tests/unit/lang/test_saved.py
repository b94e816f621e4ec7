"""Saved filters inside filters: the tree holds what they stand for."""

import pytest

from millrace.lang import FilterError, parse
from millrace.lang.operands import MAX_COMPARISONS, MAX_SAVED_USES
from millrace.lang.parser import MAX_SAVED_DEPTH

SAVED = {
    "transit": 'InIfConnectivity = "transit" OR OutIfConnectivity = "transit"',
    "web-2.0": "DstPort IN (80, 443)",
    'my "own"': "SrcAS = 1",
    "both": "@transit AND @web-2.0 -- and nothing else",
    "empty": "-- later",
    "broken": "SrcAS =",
    "a": "NOT @b",
    "b": "SrcAS = 1 OR @a",
}


@pytest.mark.parametrize(
    ("text", "meaning"),
    [
        ("@transit", SAVED["transit"]),
        ("@transit AND SrcAS = 1", f"({SAVED['transit']}) AND SrcAS = 1"),
        ("NOT @transit", f"NOT ({SAVED['transit']})"),
        ("@web-2.0--comment", SAVED["web-2.0"]),
        ('@"my \\"own\\"" OR @\'web-2.0\'', "SrcAS = 1 OR DstPort IN (80, 443)"),
        ("@both OR Proto = 6", f"({SAVED['transit']}) AND DstPort IN (80, 443) OR Proto = 6"),
    ],
)
def test_a_use_means_what_was_saved(schema, text, meaning):
    assert parse(text, schema, saved=SAVED) == parse(meaning, schema)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("SrcAS = 1 AND @broken", "column 15: in the saved filter 'broken': line 1, column 8: a value is expected"),
        ("@empty", "the saved filter 'empty' is empty"),
        ("@a", "in the saved filter 'a'"),
        ("@a", "the saved filter 'a' contains itself"),
    ],
)
def test_what_is_wrong_inside_is_said_at_the_use(schema, text, words):
    with pytest.raises(FilterError) as raised:
        parse(text, schema, saved=SAVED)
    assert words in str(raised.value)
    assert text[raised.value.start : raised.value.end].startswith("@")


def test_nesting_is_bounded(schema):
    saved = {f"f{level}": f"@f{level + 1}" for level in range(20)} | {"f20": "SrcAS = 1"}
    assert parse(f"@f{21 - MAX_SAVED_DEPTH}", schema, saved=saved)
    with pytest.raises(FilterError, match="levels deep"):
        parse(f"@f{20 - MAX_SAVED_DEPTH}", schema, saved=saved)


def test_growth_is_bounded(schema):
    doubling = {f"f{level}": f"@f{level + 1} OR @f{level + 1}" for level in range(7)} | {"f7": "SrcAS = 1"}
    with pytest.raises(FilterError, match=f"{MAX_SAVED_USES} saved filters at most"):
        parse("@f0", schema, saved=doubling)
    wide = {"wide": " OR ".join(["SrcAS = 1"] * (MAX_COMPARISONS // 2 + 1))}
    with pytest.raises(FilterError, match=f"{MAX_COMPARISONS} comparisons at most"):
        parse("@wide AND @wide", schema, saved=wide)
