"""Single comparisons: columns, operators and values, checked against the schema."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, tzinfo
from typing import TypeVar, cast

from lark import Token, Tree

from millrace.lang.literals import unquoted
from millrace.lang.names import Names
from millrace.lang.nodes import (
    And,
    ColumnComparison,
    Comparison,
    Condition,
    Item,
    Membership,
    Operator,
    Or,
    Order,
    Prefix,
    Span,
    Value,
    joined,
)
from millrace.lang.numbers import duration_ms
from millrace.lang.operators import CALLED, EQUALITY, canonical, column_operators, comparable, operators_of
from millrace.lang.patterns import like_problem, regex_problem
from millrace.lang.syntax import Node, fault, refuse_surrogates, unclosed
from millrace.lang.values import Reading, UnreadableError, is_country, nearest
from millrace.schema import Column, Kind, Schema

MAX_COMPARISONS = 500
MAX_VALUES = 5000
MAX_SAVED_USES = 100

_PLUS = "'+' goes between a column of times and a duration, as in TimeFlowStart + 90s"

_Read = TypeVar("_Read")


@dataclass(slots=True)
class Budget:
    """What a filter, with the saved filters in it, may still hold."""

    comparisons: int = MAX_COMPARISONS
    values: int = MAX_VALUES
    saved_uses: int = MAX_SAVED_USES

    def use_comparisons(self, count: int = 1) -> str:
        """Take comparisons; returns what is wrong, or empty."""
        self.comparisons -= count
        return f"a filter may hold {MAX_COMPARISONS} comparisons at most" if self.comparisons < 0 else ""

    def use_values(self, count: int) -> str:
        """Take values; returns what is wrong, or empty."""
        self.values -= count
        return f"a filter may hold {MAX_VALUES} values at most" if self.values < 0 else ""

    def use_saved(self) -> str:
        """Take a use of a saved filter; returns what is wrong, or empty."""
        self.saved_uses -= 1
        return f"a filter may use {MAX_SAVED_USES} saved filters at most" if self.saved_uses < 0 else ""


@dataclass(slots=True)
class Operands:
    """Reads the comparisons of one text."""

    text: str
    schema: Schema
    names: Names
    budget: Budget
    timezone: tzinfo = UTC
    _columns: dict[str, Column] = field(init=False)

    def __post_init__(self) -> None:
        self._columns = {column.name.casefold(): column for column in self.schema}

    def of(self, text: str) -> Operands:
        """The same for another text, on the same budget."""
        return replace(self, text=text)

    def condition(self, node: Tree[Token]) -> Condition:
        """Condition of a ``comparison``, ``between`` or ``membership`` of the grammar. Raises FilterError."""
        self._spend(node, self.budget.use_comparisons())
        name, *rest = (child for child in node.children if child is not None)
        column = self._column(cast("Token", name))
        if node.data == "comparison":
            *signs, item = rest
            return self._comparison(column, self._operator(column, signs), item)
        if node.data == "between":
            *signs, first, last = rest
            operator = self._operator(column, signs)
            span = self._span(column, cast("Token", first), cast("Token", last))
            return Membership(column, (span,), operator.startswith("NOT"))
        count = 2 if cast("Token", rest[0]).type == "NOT" else 1
        operator = self._operator(column, rest[:count])
        items = [item for child in rest[count:] for item in self._items(column, child)]
        return self._list(node, column, tuple(dict.fromkeys(items)), negated=operator == "NOT IN")

    def _spend(self, node: Node, problem: str) -> None:
        if problem:
            raise fault(self.text, node, problem)

    def _column(self, token: Token) -> Column:
        column = self._columns.get(token.casefold())
        if column is None:
            near = nearest(token, self.schema.names)
            raise fault(self.text, token, f"unknown column {_shown(token)}", ("a column",), near)
        return column

    def _operator(self, column: Column, signs: Sequence[Node]) -> str:
        operator = canonical(*(str(sign) for sign in signs))
        allowed = operators_of(column)
        if operator not in allowed:
            problem = f"{column.name}: the operator {operator} does not apply; these do: {', '.join(allowed)}"
            raise fault(self.text, signs, problem, allowed)
        return operator

    def _comparison(self, column: Column, operator: str, item: Node) -> Condition:
        called = cast("Operator", CALLED.get(operator, operator))
        if called in ("~", "!~") or operator in CALLED:
            return Comparison(column, called, self._pattern(column, called, self._single_token(item)))
        if called in ("<<", "!<<"):
            return Comparison(column, called, self._value(self._single_token(item), self._reading(column).prefix))
        other = self._other_column(column, called, item)
        if other is not None:
            return other
        if called in EQUALITY:
            return self._equal(column, item, negated=called == "!=")
        return Comparison(column, called, self._one(column, self._single_token(item)))

    def _equal(self, column: Column, item: Node, *, negated: bool) -> Condition:
        items = self._items(column, item)
        first = items[0]
        if len(items) > 1 or isinstance(first, Span):
            return self._list(item, column, items, negated=negated)
        if isinstance(first, Prefix):
            return Comparison(column, "!<<" if negated else "<<", first)
        return Comparison(column, "!=" if negated else "=", first)

    def _list(self, node: Node, column: Column, items: tuple[Item, ...], *, negated: bool) -> Condition:
        if column.kind is not Kind.U32_LIST:
            return Membership(column, items, negated)
        self._spend(node, self.budget.use_comparisons(len(items) - 1))
        operator: Operator = "!=" if negated else "="
        return joined(And if negated else Or, [Comparison(column, operator, cast("Value", item)) for item in items])

    def _items(self, column: Column, node: Node) -> tuple[Item, ...]:
        if isinstance(node, Token):
            return self._values(column, node)
        first, sign, last = cast("list[Token]", node.children)
        if sign.type == "PLUS":
            raise fault(self.text, node, _PLUS)
        return (self._span(column, first, last),)

    def _span(self, column: Column, first: Token, last: Token) -> Span:
        if "BETWEEN" not in operators_of(column):
            problem = f"{column.name}: there are no ranges of this column; put a text with a dash into quotes"
            raise fault(self.text, (first, last), problem)
        low, high = self._one(column, first), self._one(column, last)
        if low > high:  # type: ignore[operator]  # values of one column are of one type
            problem = f"{column.name}: the range runs backwards; write the smaller value first"
            raise fault(self.text, (first, last), problem)
        return Span(low, high)

    def _one(self, column: Column, token: Token) -> Value:
        values = self._values(column, token)
        if len(values) > 1 or isinstance(values[0], Prefix):
            raise fault(self.text, token, f"{column.name}: {_shown(token)} is several values, one is expected")
        return values[0]

    def _values(self, column: Column, token: Token) -> tuple[Value | Prefix, ...]:
        values = self._value(token, self._reading(column).values)
        self._spend(token, self.budget.use_values(len(values)))
        return values

    def _single_token(self, item: Node) -> Token:
        if isinstance(item, Tree):
            problem = "one value is expected, not a range; put a text with a dash into quotes"
            raise fault(self.text, item, _PLUS if item.data == "shifted" else problem, ("a value",))
        return item

    def _pattern(self, column: Column, operator: Operator, token: Token) -> str:
        pattern = self._value(token, self._reading(column).text)
        problem = regex_problem(pattern) if operator in ("~", "!~") else like_problem(pattern)
        self._spend(token, f"{column.name}: {problem}" if problem else "")
        return pattern

    def _reading(self, column: Column) -> Reading:
        return Reading(column, self.names, self.timezone)

    def _value(self, token: Token, read: Callable[[str], _Read]) -> _Read:
        """What the text of a token is read as; refusals get their position."""
        if token.type == "UNCLOSED":
            raise fault(self.text, token, unclosed(token))
        text = unquoted(token) if token.type == "STRING" else str(token)
        refuse_surrogates(self.text, text, token)
        try:
            return read(text)
        except UnreadableError as error:
            raise fault(self.text, token, error.problem, ("a value",), error.suggestion) from None

    def _other_column(self, column: Column, operator: Operator, item: Node) -> ColumnComparison | None:
        """The comparison with another column, if the item names one (and a time from it)."""
        token, offset = (item, 0) if isinstance(item, Token) else _shifted(column, item)
        other = self._columns.get(token.casefold()) if token.type in ("WORD", "ASN") else None
        if other is None or (isinstance(item, Tree) and not offset) or self._names_value(column, token):
            return None
        if not comparable(column, other):
            problem = f"{column.name}: the column {other.name} is of another kind; quotes make {_shown(token)} a text"
            raise fault(self.text, token, problem)
        allowed = column_operators(column)
        if operator not in allowed:
            raise fault(
                self.text, token, f"{column.name}: columns of this kind are compared by {' and '.join(allowed)}"
            )
        return ColumnComparison(column, cast("Order", operator), other, offset)

    def _names_value(self, column: Column, token: Token) -> bool:
        """Whether a word is the name of a value of the column (of an enum, a protocol …)."""
        if column.kind is Kind.TEXT and not is_country(column):
            return False
        try:
            self._reading(column).values(str(token))
        except UnreadableError:
            return False
        return True


def _shifted(column: Column, item: Tree[Token]) -> tuple[Token, int]:
    """First word of ``TimeFlowStart + 90s``, and the milliseconds; 0 if it is something else."""
    first, sign, last = cast("list[Token]", item.children)
    ms = duration_ms(last) if column.kind is Kind.TIME_MS else None
    if ms is None:
        return first, 0
    return first, ms if sign.type == "PLUS" else -ms


def _shown(token: Token) -> str:
    return repr(str(token) if len(token) <= 50 else f"{token[:50]}…")
