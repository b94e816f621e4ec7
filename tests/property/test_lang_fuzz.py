"""Whatever is typed, the language answers: a tree or its own error, parts that cover the text, options to insert."""

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from effort import Effort
from millrace.lang import FilterError, complete, parse, tokens
from millrace.lang.syntax import MAX_LENGTH
from unit.lang.strategies import SAVED, SCHEMA, texts

HEAVY = [
    "(" * MAX_LENGTH,
    "NOT " * (MAX_LENGTH // 4),
    "#" * MAX_LENGTH,
    '"' * (MAX_LENGTH - 1),
    "\\" * MAX_LENGTH,
    "/*" * (MAX_LENGTH // 2),
    "--" * (MAX_LENGTH // 2),
    "-" * MAX_LENGTH,
    "a-" * (MAX_LENGTH // 2),
    "1." * (MAX_LENGTH // 2),
    "1:" * (MAX_LENGTH // 2),
    "@" * MAX_LENGTH,
    "SrcAS = " + "9" * (MAX_LENGTH - 8),
    "SrcAS = " + "a" * (MAX_LENGTH - 8),
    "SrcAS IN (" + "1," * ((MAX_LENGTH - 10) // 2),
    "SrcAS IN (" + "google," * 1000,
    "SrcAS=1 OR " * (MAX_LENGTH // 11),
    "a " * (MAX_LENGTH // 2),
    "InIfName ~ " + "x" * (MAX_LENGTH - 11),
]


def _refusal(text):
    try:
        parse(text, SCHEMA, saved=SAVED)
    except FilterError as error:
        return error
    return None


@given(texts())
@settings(max_examples=300, deadline=None)
@example("SrcAS = 1 \ud800")
@example('InIfName = "\\ud800"')
@example("@cycle")
def test_parse_raises_nothing_but_its_own_error(text):
    error = _refusal(text)
    if error is not None:
        assert 0 <= error.start <= error.end <= len(text)
        assert error.line == text[: error.start].count("\n") + 1
        assert str(error).startswith(f"line {error.line}, column {error.column}: ")


@given(texts())
@settings(max_examples=200, deadline=None)
def test_tokens_cover_all_but_blanks_without_overlap(text):
    found = tokens(text)
    ends = [0, *(token.end for token in found)]
    starts = [*(token.start for token in found), len(text)]
    assert all(token.start < token.end for token in found)
    assert all(not text[end:start].strip() and end <= start for end, start in zip(ends, starts, strict=True))


@given(texts(), st.integers(-5, 60))
@settings(max_examples=200, deadline=None)
def test_completion_answers_at_any_cursor(text, cursor):
    found = complete(text, cursor, SCHEMA, saved=tuple(SAVED))
    assert 0 <= found.start <= found.end <= len(text)
    assert found.start <= min(max(cursor, 0), len(text))
    assert all(option.text and option.label for option in found.options)


@pytest.mark.parametrize("text", HEAVY, ids=lambda text: text[:12].encode("unicode_escape").decode())
def test_texts_at_the_bound_are_answered_soon(text):
    with Effort() as spent:
        error = _refusal(text)
        assert error is None or len(str(error)) < 500
        tokens(text)
        complete(text, len(text), SCHEMA)
    assert spent.seconds < 3
