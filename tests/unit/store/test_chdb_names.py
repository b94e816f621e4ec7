"""What is used of chDB that it does not promise: a version without it is found here, not when a collector starts."""

import ast
import importlib
import inspect
import tomllib
from importlib.metadata import version
from pathlib import Path

import pytest
from packaging.requirements import Requirement

import millrace

PACKAGE = Path(millrace.__file__).parent
CONNECTION = "store/connection.py"
"""The only file that knows chDB."""


def taken_from_chdb(source, place):
    """Module, name and place of what a source takes from chDB; an empty name is the module itself."""
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.ImportFrom) and (node.module or "").split(".")[0] == "chdb" and not node.level:
            yield from ((node.module, alias.name, f"{place}:{node.lineno}") for alias in node.names)
        elif isinstance(node, ast.Import):
            for alias in node.names:
                if alias.name.split(".")[0] == "chdb":
                    yield alias.name, "", f"{place}:{node.lineno}"


def lacking(taken):
    """A sentence for each name that the installed chDB does not have."""
    for module, name, place in taken:
        try:
            found = importlib.import_module(module)
            there = not name or hasattr(found, name)
        except ImportError:
            there = False
        if not there:
            yield f"chdb {version('chdb')} has no {f'{module}.{name}'.rstrip('.')}, which {place} uses"


@pytest.fixture(scope="module")
def taken():
    return [
        found
        for path in sorted(PACKAGE.rglob("*.py"))
        for found in taken_from_chdb(path.read_text(), path.relative_to(PACKAGE).as_posix())
    ]


def test_the_installed_chdb_has_every_name_that_is_taken_from_it(taken):
    assert taken
    assert list(lacking(taken)) == []


def test_only_one_file_knows_chdb(taken):
    assert {place.rpartition(":")[0] for _, _, place in taken} == {CONNECTION}


def test_a_name_that_is_gone_is_told_with_the_place_of_its_use():
    source = "import os\n\n\nfrom chdb.state.sqlitelike import Connection, Gone\nimport chdb.gone\n"
    first, second = lacking(taken_from_chdb(source, CONNECTION))
    assert first == f"chdb {version('chdb')} has no chdb.state.sqlitelike.Gone, which {CONNECTION}:4 uses"
    assert second == f"chdb {version('chdb')} has no chdb.gone, which {CONNECTION}:5 uses"


def test_a_connection_of_chdb_is_asked_and_closed_as_before(taken):
    ((module, name, place),) = taken
    connection = getattr(importlib.import_module(module), name)
    asked = inspect.signature(connection.query)
    asked.bind(None, "SELECT 1", "Null", params={})
    inspect.signature(connection).bind("folder?setting=1")
    inspect.signature(connection.close).bind(None)
    assert issubclass(importlib.import_module(module).ChdbError, RuntimeError), f"errors of {module} in {place}"


def test_a_version_of_chdb_that_may_have_moved_them_is_not_installed_unasked():
    project = tomllib.loads((Path(__file__).parents[3] / "pyproject.toml").read_text())["project"]
    (chdb,) = (need for need in map(Requirement, project["dependencies"]) if need.name == "chdb")
    assert chdb.specifier.contains(version("chdb"))
    assert not chdb.specifier.contains("5.0")


def test_a_runtime_error_means_the_engine_in_no_other_place_of_the_store():
    """A recursion without end is one, too; and a thread that cannot be begun, which the other file means."""
    caught = {
        path.relative_to(PACKAGE).as_posix()
        for path in (PACKAGE / "store").rglob("*.py")
        for node in ast.walk(ast.parse(path.read_text()))
        if isinstance(node, ast.ExceptHandler) and node.type is not None and "RuntimeError" in ast.unparse(node.type)
    }
    assert caught == {CONNECTION, "store/sql_server.py"}
