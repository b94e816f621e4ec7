"""What a statement reads or writes beyond the store: files, other hosts, programs.

The engine's read-only mode is about its tables. A statement that "only reads" can write a file (``INTO OUTFILE``), read
any that this user can read (``file()``, a table whose name is a path, a template of an output format) and ask other
hosts (``url()``, ``s3()``, ``remote()``). Two things refuse that, neither of which trusts the text as it was written:

* the statement runs with ``readonly = 1``, in which the engine itself refuses every source of data outside and every
  change of a setting;
* what the engine does not count among these is looked for in the statement as the engine's own parser writes it down
  again: without comments, with one spelling for each thing, and surely a single statement. That text is what runs.
"""

from __future__ import annotations

import re
from collections.abc import Collection

from millrace.errors import QueryError

_WRITTEN = re.compile(
    r"""
    '(?:\\.|[^'\\])*' | "(?:\\.|[^"\\])*"
    | (?P<quoted>`(?:\\.|[^`\\])*`)
    | (?P<word>\w+)
    | (?P<open>\()
    | (?P<space>\s+)
    | .
    """,
    re.VERBOSE | re.DOTALL,
)

_OWN = frozenset(
    {
        "fuzzjson", "generate_series", "generaterandom", "generateseries", "loop", "merge",
        "mergetreeanalyzeindexes", "mergetreecodecblockcounts", "mergetreeindex", "mergetreeprojection",
        "mergetreetextindex", "null", "numbers", "numbers_mt", "primes", "sqlstandardvalues", "values", "view",
        "viewifpermitted", "zeros", "zeros_mt",
    }
)  # fmt: skip
"""Table functions that read tables of the store or make numbers up. All others are refused, also those to come."""

_BOTH = frozenset({"format", "fuzzquery"})
"""Table functions that are functions of values, too; as such they are harmless, and the engine refuses the others."""

_FUNCTIONS = frozenset({"catboostevaluate", "file"})
"""Functions of values that read files."""

_MODELS = "ai"
"""How functions begin that ask a language model elsewhere."""

_HINT = "the option --outside of 'millrace sql' allows it"


def refuse(written: str, table_functions: Collection[str]) -> None:
    """Refuse a statement that reads or writes beyond the store, as far as the engine would not refuse it.

    Parameters
    ----------
    written : str
        As the engine's ``formatQuerySingleLine`` writes it.
    table_functions : collection of str
        Names of all that the engine has, in lower case.

    Raises
    ------
    QueryError
        It says what is refused.
    """
    before = ""
    asks_for_tables = written.startswith("EXISTS ")
    for token in _WRITTEN.finditer(written):
        if token["space"]:
            continue
        if token["word"] == "OUTFILE" and before == "INTO":
            raise QueryError(f"only reading is allowed here, and INTO OUTFILE writes a file; {_HINT}")
        if asks_for_tables and token["quoted"]:
            # Names of ours need no quotes; of a path, the engine would say whether there is such a file.
            raise QueryError(f"{token[0]} is no table of the store; {_HINT}")
        if token["open"] and _leads_outside(_name(before), table_functions):
            raise QueryError(f"{_name(before)}() reads beyond the store; {_HINT}")
        before = token[0]


def _name(token: str) -> str:
    """Name of a function, plain or quoted."""
    return re.sub(r"\\(.)", r"\1", token[1:-1]) if token.startswith("`") else token


def _leads_outside(name: str, table_functions: Collection[str]) -> bool:
    folded = name.lower()
    if folded in _FUNCTIONS or (folded.startswith(_MODELS) and folded.isalpha()):
        return True
    return folded in table_functions and folded not in _OWN and folded not in _BOTH
