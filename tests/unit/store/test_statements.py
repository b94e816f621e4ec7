"""One statement that reads, whatever texts and comments it holds."""

import pytest

from millrace.errors import QueryError
from millrace.store import statements


@pytest.mark.parametrize(
    ("sql", "statement"),
    [
        ("SELECT 1", "SELECT 1"),
        (" select 1 ;\n ; ", " select 1"),
        ("(SELECT 1) UNION ALL (SELECT 2)", "(SELECT 1) UNION ALL (SELECT 2)"),
        ("-- a note; of two parts\nSELECT ';' -- end;\n;", "-- a note; of two parts\nSELECT ';'"),
        (
            "/* ; */ WITH 1 AS x SELECT `a;b`, \"c;d\", 'it\\'s;'",
            "/* ; */ WITH 1 AS x SELECT `a;b`, \"c;d\", 'it\\'s;'",
        ),
        ("SHOW TABLES", "SHOW TABLES"),
    ],
)
def test_reading_statements_pass_without_their_semicolon(sql, statement):
    assert statements.single(sql) == statement


@pytest.mark.parametrize("sql", ["", " ; ", "SYSTEM SHUTDOWN", "/* SELECT */ KILL QUERY WHERE 1", "SELECT 1; SELECT 2"])
def test_others_are_refused(sql):
    with pytest.raises(QueryError):
        statements.single(sql)
