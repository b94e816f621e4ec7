"""The reference page of the language is right."""

import re
from pathlib import Path

import pytest

from millrace.lang import FilterError, operators_of, parse, tokens
from millrace.lang.operands import MAX_COMPARISONS, MAX_SAVED_USES, MAX_VALUES
from millrace.lang.operators import MEANINGS
from millrace.lang.parser import MAX_DEPTH, MAX_SAVED_DEPTH
from millrace.lang.syntax import MAX_LENGTH
from millrace.lang.values import MAX_TEXT

PAGE = (Path(__file__).parents[3] / "docs" / "reference" / "filter-language.md").read_text("utf-8")
SAVED = {"transit": "InIfConnectivity = transit", "my own networks": "SrcNetRole = own"}


def examples():
    """Each line of each example; a line that is indented goes on with the one before."""
    for block in re.findall(r"```filter\n(.*?)```", PAGE, re.DOTALL):
        yield from re.split(r"\n(?=\S)", block.strip())


@pytest.mark.parametrize("example", list(examples()))
def test_every_example_is_a_filter(schema, example):
    assert parse(example, schema, saved=SAVED)
    assert "error" not in {token.kind for token in tokens(example)}


def test_every_operator_is_explained(schema):
    known = {operator for column in schema for operator in operators_of(column)}
    assert known == set(MEANINGS)
    for operator in known:
        assert re.search(rf"`{re.escape(operator)}[`\s]", PAGE), operator


def test_the_limits_are_those_of_the_code():
    limits = PAGE.partition("## Limits")[2].replace("10 000", "10000").replace("\n", " ")
    assert f"{MAX_LENGTH} characters; {MAX_DEPTH} levels of nesting; {MAX_COMPARISONS} comparisons" in limits
    assert f"{MAX_VALUES} values and {MAX_SAVED_USES} uses of saved filters, nested {MAX_SAVED_DEPTH} levels" in limits
    assert f"{MAX_TEXT} characters in a text" in limits


def test_the_message_is_the_one_that_is_shown(schema):
    with pytest.raises(FilterError) as raised:
        parse("SrcAsn = 1", schema)
    assert str(raised.value) in PAGE
