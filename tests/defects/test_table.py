"""The table of defects is whole: each has tests that exist and run, or a reason."""

from __future__ import annotations

import ast
import tomllib
from functools import cache
from pathlib import Path
from typing import Any

import pytest

HERE = Path(__file__).parent
TESTS = HERE.parent
TABLE: dict[str, dict[str, Any]] = tomllib.loads((HERE / "table.toml").read_text())
SECTIONS = {
    "akvorado-2.10": 15, "collectors-0": 8, "collectors-1.8": 14, "collectors-2.6": 11, "vector": 24,
}  # fmt: skip
"""Defects of each section at least; one may have several entries."""

NOT_ALWAYS_RUN = ("skip", "xfail", "service", "slow")


@cache
def functions(path: str) -> dict[str, ast.FunctionDef]:
    """Test functions of a file."""
    tree = ast.parse((TESTS / path).read_text())
    return {node.name: node for node in tree.body if isinstance(node, ast.FunctionDef) and node.name[:5] == "test_"}


@pytest.mark.parametrize("entry", TABLE)
def test_each_defect_has_tests_that_exist_and_always_run_or_a_reason(entry):
    assert TABLE[entry].keys() in ({"seen", "tests"}, {"seen", "not_built"})
    assert TABLE[entry]["seen"]
    assert TABLE[entry].get("tests") or TABLE[entry].get("not_built")
    for name in TABLE[entry].get("tests", ()):
        path, _, function = name.partition("::")
        assert function in functions(path), name
        marks = [ast.unparse(mark) for mark in functions(path)[function].decorator_list]
        assert not [mark for mark in marks if any(word in mark for word in NOT_ALWAYS_RUN)], name


@pytest.mark.parametrize("section", SECTIONS)
def test_no_section_of_defects_is_left_out(section):
    assert sum(entry.startswith((f"{section}-", f"{section}.")) for entry in TABLE) >= SECTIONS[section]


def test_each_lettered_and_numbered_defect_is_there():
    assert [letter for letter in "abcdefghijklmno" if f"akvorado-2.10-{letter}" not in TABLE] == []
    numbers = {entry.split("-")[1] for entry in TABLE if entry.startswith("collectors-0.")}
    assert numbers == {f"0.{number}" for number in range(1, 9)}


def test_each_test_beside_the_table_proves_something_in_it():
    named = {name for entry in TABLE.values() for name in entry.get("tests", ())}
    beside = {
        f"defects/{path.name}::{function}"
        for path in HERE.glob("test_*.py")
        if path.name != Path(__file__).name
        for function in functions(f"defects/{path.name}")
    }
    assert sorted(beside - named) == []
