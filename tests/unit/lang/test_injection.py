"""Whatever is in a value stays in the value."""

import pytest

from millrace.lang import Comparison, FilterError, Membership, complete, parse, text_of, tokens
from millrace.lang.literals import quoted

HOSTILE = [
    "' OR '1'='1", '" OR "1"="1', "'; DROP TABLE flows; --", "\\", "\\\\", "\\'", '\\"', "a\\", "'", '"', "--", "/*",
    "*/", "/* */", "{p0:UInt32}", "{p0:String}", "%s", "%(a)s", "$1", "?", ":name", "\0", "a\0b", "\n", "\r\n", "\t",
    "\x1a", "\x7f", "\u2028", "é", "ﬀ", "😀", "‮abc", "`", "``", "$$", "x' FORMAT Null", ")", "(", "IN (1)", "@transit",
    "NULL", "SrcAS", "\\u0027", "\\x27", "0x27", "1 OR 1=1", "UNION SELECT 1", "\ufeff", "\u00a0", "AND",
]  # fmt: skip


@pytest.mark.parametrize("value", HOSTILE)
def test_a_quoted_value_is_that_value_and_round_trips(schema, value):
    column = schema["InIfName"]
    for text in (f"InIfName = {quoted(value)}", f"InIfName = {quoted(value)} -- '\""):
        tree = parse(text, schema)
        assert tree == Comparison(column, "=", value)
        assert parse(text_of(tree), schema) == tree
        assert "\n" not in text_of(tree)
    listed = parse(f"InIfName NOT IN ({quoted(value)}, 'x')", schema)
    assert listed == Membership(column, (value, "x"), negated=True)


@pytest.mark.parametrize("value", HOSTILE)
@pytest.mark.parametrize("column", ["InIfName", "SrcAS", "SrcAddr", "Proto", "SrcCountry", "TimeReceived", "SrcMAC"])
def test_a_value_that_is_not_quoted_is_no_other_condition(schema, column, value):
    """It is an error, or a value of the column, and never a larger tree than was asked for."""
    try:
        tree = parse(f"{column} = {value}", schema)
    except FilterError:
        return
    assert not isinstance(tree, Comparison) or tree.column.name == column
    assert parse(text_of(tree), schema) == tree


@pytest.mark.parametrize("value", HOSTILE)
def test_editors_get_an_answer(schema, value):
    text = f"InIfName = {value}"
    tokens(text)
    for cursor in range(len(text) + 1):
        complete(text, cursor, schema, saved=(value,))


@pytest.mark.parametrize("name", HOSTILE)
def test_saved_filters_may_have_any_name(schema, name):
    tree = parse(f"@{quoted(name)}", schema, saved={name: "SrcAS = 1"})
    assert tree == parse("SrcAS = 1", schema)
    found = complete("@", 1, schema, saved=(name,))
    assert parse(found.options[0].text, schema, saved={name: "SrcAS = 1"}) == tree
