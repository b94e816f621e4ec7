"""What is wrong is said with its place, what was expected and what is near."""

import pytest

from millrace.errors import QueryError
from millrace.lang import FilterError, operators_of, parse
from millrace.lang.operands import MAX_COMPARISONS
from millrace.lang.parser import MAX_DEPTH
from millrace.lang.syntax import MAX_LENGTH
from millrace.lang.values import MAX_TEXT
from millrace.schema import Column, Kind, Schema


@pytest.fixture
def fault(schema):
    def fault_of(text, **options):
        with pytest.raises(FilterError) as raised:
            parse(text, schema, **options)
        return raised.value

    return fault_of


def test_the_message_says_where_what_and_what_is_near(fault):
    error = fault("SrcAsn = 1")
    assert isinstance(error, QueryError)
    assert str(error) == "line 1, column 1: unknown column 'SrcAsn'; did you mean 'SrcAS'?"
    assert (error.start, error.end, error.suggestion) == (0, 6, "SrcAS")


def test_lines_and_columns_count_from_one(fault):
    error = fault("SrcAS = 1\n  AND SrcAsn = 1")
    assert (error.line, error.column, error.start, error.end) == (2, 7, 16, 22)


@pytest.mark.parametrize(
    ("text", "start", "end", "expected"),
    [
        ("SrcAS", 5, 5, ("an operator",)),
        ("SrcAS 5", 6, 7, ("an operator",)),
        ("SrcAS =", 7, 7, ("a value",)),
        ("SrcAS = AND", 8, 11, ("a value",)),
        ("SrcAS = )", 8, 9, ("a value",)),
        ("SrcAS = ^a", 8, 9, ("a value",)),
        ("SrcAS = 1 SrcAS = 2", 10, 15, ("AND", "OR", "the end")),
        ("SrcAS = 1 AND", 13, 13, ("a column", "NOT", "'('", "a saved filter")),
        ("(SrcAS = 1", 10, 10, ("AND", "OR", "')'")),
        ("SrcAS = 1)", 9, 10, ("AND", "OR", "the end")),
        ("SrcAS IN", 8, 8, ("'('",)),
        ("SrcAS IN ()", 10, 11, ("a value",)),
        ("SrcAS IN (1", 11, 11, ("')'", "','")),
        ("SrcAS NOT = 1", 10, 11, ("IN", "LIKE", "ILIKE", "BETWEEN")),
        ("SrcAS BETWEEN 1", 15, 15, ("AND",)),
        ("= 1", 0, 1, ("a column", "NOT", "'('", "a saved filter")),
        ("#", 0, 1, ("a column", "NOT", "'('")),
    ],
)
def test_syntax(fault, text, start, end, expected):
    error = fault(text)
    assert (error.start, error.end, error.expected) == (start, end, expected)


def test_no_name_of_the_grammar_reaches_a_user(fault):
    for text in ("SrcAS", "SrcAS =", "SrcAS = 1 2", "(", "SrcAS IN (1", "SrcAS NOT 1", "SrcAS BETWEEN 1 2"):
        assert not any(name in str(fault(text)) for name in ("_", "WORD", "SIGN", "LPAR", "STRING", "$END"))


@pytest.mark.parametrize(
    ("text", "suggestion"),
    [
        ("srcaddres = ::1", "SrcAddr"),
        ("SrcAS lik 'a'", "LIKE"),
        ("InIfBoundary = extenal", "external"),
        ("Proto = sctpp", "sctp"),
        ("DstPort = htps", "https"),
        ("SrcCountry = Germny", "Germany"),
        ("EType = ipv66", "ipv6"),
        ("SrcAS = clodflare", "Cloudflare"),
        ("@tranist", "transit"),
    ],
)
def test_the_nearest_is_suggested(fault, text, suggestion):
    error = fault(text, saved={"transit": "SrcAS = 1"})
    assert error.suggestion.casefold() == suggestion.casefold()
    assert "did you mean" in str(error)


@pytest.mark.parametrize(
    ("text", "start", "end", "words"),
    [
        ("SrcAS LIKE 'a'", 6, 10, "the operator LIKE does not apply; these do: =, !=, <"),
        ("InIfName NOT BETWEEN a AND b", 9, 20, "the operator NOT BETWEEN does not apply"),
        ("InIfName = a - b", 11, 16, "no ranges"),
        ("SrcAddr = 10.0.0.300", 10, 20, "not an address"),
        ("SrcAddr = fe80::1%eth0", 10, 22, "not an address"),
        ("SrcAddr << 10.0.0.0/33", 11, 22, "not a subnet"),
        ("SrcAddr < 10.0.0.0/8", 10, 20, "one is expected"),
        ("SrcMAC = 00:11:22:33:44", 9, 23, "not a MAC address"),
        ("SrcPort = 65536", 10, 15, "65535"),
        ("Proto = 256", 8, 11, "255"),
        ("SrcPort = 1k", 10, 12, "a port or a service"),
        ("SrcAS = AS70000.1", 8, 17, "65535"),
        ("SrcAS = 4294967296", 8, 18, "4294967295"),
        ("Bytes > 1.5", 8, 11, "whole number"),
        ("Bytes > 10Gbps", 8, 14, "a number such as"),
        ("Packets > 10kB", 10, 14, "a number such as"),
        ("Bytes > 18446744073709551616", 8, 28, "18446744073709551615"),
        ("TimeReceived > yesterday", 15, 24, "a time such as"),
        ("TimeReceived > 5m", 15, 17, "a time such as"),
        ("TimeReceived > 1969-12-31", 15, 25, "1970"),
        ("TimeFlowEnd > TimeFlowStart + 5", 14, 31, "and a duration"),
        ("SrcAS > DstAS + 5", 8, 17, "and a duration"),
        ("DstCommunities = 1:2:3", 17, 22, "large community"),
        ("DstCommunities = 65536:1", 17, 24, "a community such as"),
        ("DstASPath < 5", 10, 11, "does not apply"),
        ("DstPort = 90-80", 10, 15, "backwards"),
        ("DstPort = http-alt - 9000", 10, 18, "several values"),
        ("SrcAS > hetzner", 8, 15, "several values"),
        ("SrcAS > 1-5", 8, 11, "not a range"),
        ("SrcAS = InIfName", 8, 16, "of another kind"),
        ("InIfBoundary = FlowDirection", 15, 28, "of another kind"),
        ("InIfName ~ '(a'", 11, 15, "regular expression is not valid"),
        ("InIfName ~ '(?=a)'", 11, 18, "regular expression is not valid"),
        ("InIfName LIKE 'a\\\\'", 14, 19, "single backslash"),
        ("InIfName ~ 'a\0b'", 11, 16, "NUL"),
        ('InIfName = "abc', 11, 15, "quote"),
        ("InIfName = 'abc\\'", 11, 17, "quote"),
        ("SrcAS = 1 /* abc", 10, 16, "comment is not closed"),
        ("SrcCountry = xyz", 13, 16, "not a country"),
        ("InIfName = 'a\ud800'", 13, 14, "surrogate"),
        ("InIfName = '\\ud800'", 11, 19, "surrogate"),
        ("@", 0, 1, "name of a saved filter"),
        ("SrcAS = 1 AND @none", 14, 19, "unknown saved filter 'none'"),
    ],
)
def test_meaning(fault, text, start, end, words):
    error = fault(text)
    assert words in str(error)
    assert (error.start, error.end) == (start, end)


@pytest.mark.parametrize("column", [*Schema(), Column("Own", Kind.U64, "", "", "")], ids=lambda c: c.name)
def test_operators_that_do_not_apply_are_refused_and_those_that_do_are_named(column):
    values = {Kind.ADDRESS: "::1", Kind.MAC: "00:00:00:00:00:01", Kind.TIME_MS: "2026-01-01"}
    value = column.values[0] if column.values else values.get(column.kind, "1")
    value = "DE" if column.name.endswith("Country") else value
    value = "1:1" if column.display == "community" else value
    forms = {"IN": f"({value})", "NOT IN": f"({value})", "BETWEEN": f"{value} AND {value}"}
    forms["NOT BETWEEN"] = forms["BETWEEN"]
    for operator in ("=", "!=", "<", "<=", ">", ">=", "<<", "!<<", "LIKE", "NOT ILIKE", "~", "!~", *forms):
        text = f"{column.name} {operator} {forms.get(operator, value)}"
        if operator in operators_of(column):
            parse(text, Schema([column] if column.name == "Own" else []))
        else:
            with pytest.raises(FilterError) as raised:
                parse(text, Schema([column] if column.name == "Own" else []))
            assert raised.value.expected == operators_of(column)


def test_bounds(fault, schema):
    assert "characters at most" in str(fault(" " * MAX_LENGTH + "a"))
    assert "levels deep" in str(fault("NOT " * MAX_DEPTH + "NOT SrcAS = 1"))
    assert parse("NOT " * MAX_DEPTH + "SrcAS = 1", schema)
    assert parse("(" * 1000 + "SrcAS = 1" + ")" * 1000, schema) == parse("SrcAS = 1", schema)
    assert "comparisons at most" in str(fault(" OR ".join(["SrcAS=1"] * (MAX_COMPARISONS + 1))))
    assert parse(" OR ".join(["SrcAS=1"] * MAX_COMPARISONS), schema)
    assert "comparisons at most" in str(fault(f"DstASPath IN ({','.join(map(str, range(MAX_COMPARISONS + 1)))})"))
    assert f"{MAX_TEXT} characters at most" in str(fault(f"InIfName = {'a' * (MAX_TEXT + 1)}"))


@pytest.mark.parametrize("level", ["NOT ", "NOT (", "(SrcAS = 1 OR NOT ", "SrcAS = 1 AND (SrcAS = 1 OR ("])
def test_what_is_nested_as_deep_as_a_filter_may_be_long_is_told_so(fault, level):
    for deep in (400, 1000, 2400):
        text = level * deep + "SrcAS = 1" + ")" * level.count("(") * deep
        if len(text) <= MAX_LENGTH:
            assert str(fault(text))
    assert "levels deep" in str(fault(level * 40 + "SrcAS = 1" + ")" * level.count("(") * 40))
    unclosed = (level * MAX_LENGTH)[: MAX_LENGTH - 20] + "SrcAS = 1"
    assert str(fault(unclosed))
