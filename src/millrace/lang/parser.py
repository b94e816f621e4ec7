"""From text to tree: the structure of conditions and saved filters."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, tzinfo
from typing import cast

from lark import Token, Tree

from millrace.lang.faults import FilterError
from millrace.lang.literals import unquoted
from millrace.lang.names import DEFAULT_NAMES, Names
from millrace.lang.nodes import And, Condition, Everything, Filter, Not, Or, joined
from millrace.lang.operands import Budget, Operands
from millrace.lang.syntax import Node, fault, refuse_surrogates, syntax
from millrace.lang.values import nearest
from millrace.schema import Schema

MAX_DEPTH = 32
MAX_SAVED_DEPTH = 8


def parse(
    text: str,
    schema: Schema,
    names: Names = DEFAULT_NAMES,
    saved: Mapping[str, str] | None = None,
    timezone: tzinfo = UTC,
) -> Filter:
    """Understand a filter.

    Parameters
    ----------
    text : str
        At most `MAX_LENGTH` characters. Blanks and comments alone are no condition: `Everything`.
    schema : Schema
        Knows the columns.
    names : Names
        Know protocols, services, countries and AS.
    saved : mapping of str to str, optional
        Texts of the filters that ``@name`` stands for. The tree holds what they stand for.
    timezone : tzinfo
        Of times that name no offset, in saved filters too.

    Raises
    ------
    FilterError
        If the text is no filter, names something unknown or exceeds a bound.
    """
    return _read(text, Operands(text, schema, names, Budget(), timezone), saved or {}, (), 0)


def _read(text: str, operands: Operands, saved: Mapping[str, str], inside: tuple[str, ...], depth: int) -> Filter:
    refuse_surrogates(text, text)
    tree = syntax(text)
    if not tree.children:
        return Everything()
    node = tree.children[0]
    if isinstance(node, Token):
        raise fault(text, node, f"a column is expected, not {str(node)!r}", ("a column", "NOT", "'('"))
    _refuse_depth(text, node, depth)
    return _Structure(text, operands, saved, inside).condition(node, depth)


def _refuse_depth(text: str, root: Tree[Token], depth: int) -> None:
    """Before anything recurses into the tree."""
    level: list[Node] = [root]
    while level:
        if depth > MAX_DEPTH:
            raise fault(text, level[0], f"a filter may be nested {MAX_DEPTH} levels deep at most")
        depth += 1
        level = [
            child
            for node in level
            if isinstance(node, Tree) and node.data in ("disjunction", "conjunction", "negation")
            for child in node.children
            if isinstance(child, Tree)
        ]


@dataclass(frozen=True, slots=True)
class _Structure:
    """Reads one text; the texts of saved filters in it are read by others that share its budget.

    Parameters
    ----------
    text : str
    operands : Operands
        Reads single comparisons.
    saved : mapping of str to str
    inside : tuple of str
        Saved filters that this text is part of.
    """

    text: str
    operands: Operands
    saved: Mapping[str, str]
    inside: tuple[str, ...]

    def condition(self, node: Tree[Token], depth: int) -> Condition:
        """Condition of a node that is `depth` levels deep."""
        match node.data:
            case "disjunction" | "conjunction":
                parts = [self.condition(cast("Tree[Token]", child), depth + 1) for child in node.children]
                return joined(Or if node.data == "disjunction" else And, parts)
            case "negation":
                return Not(self.condition(cast("Tree[Token]", node.children[1]), depth + 1))
            case "saved":
                return self._saved(cast("Token", node.children[0]), depth)
            case _:
                return self.operands.condition(node)

    def _saved(self, token: Token, depth: int) -> Condition:
        name = unquoted(token[1:]) if token[1:2] in ("'", '"') else token[1:]
        problem, near = self._saved_problem(name)
        if problem:
            raise fault(self.text, token, problem, ("a saved filter",), near)
        inner = self.saved[name]
        try:
            found = _read(inner, self.operands.of(inner), self.saved, (*self.inside, name), depth)
        except FilterError as error:
            raise fault(self.text, token, f"in the saved filter {name!r}: {error}") from None
        if isinstance(found, Everything):
            raise fault(self.text, token, f"the saved filter {name!r} is empty")
        return found

    def _saved_problem(self, name: str) -> tuple[str, str]:
        """What is wrong with the use of a saved filter, or empty, and the nearest name."""
        if not name:
            return "the name of a saved filter is expected after '@'", ""
        if name not in self.saved:
            return f"unknown saved filter {name!r}", nearest(name, self.saved)
        if name in self.inside:
            return f"the saved filter {name!r} contains itself", ""
        if len(self.inside) >= MAX_SAVED_DEPTH:
            return f"saved filters may be nested {MAX_SAVED_DEPTH} levels deep at most", ""
        return self.operands.budget.use_saved(), ""
