"""Conditions on flows: a tree of comparisons, bounded in depth and size."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Annotated, Literal, TypeAlias

from pydantic import BaseModel, BeforeValidator, ConfigDict, Discriminator, Field, Tag

MAX_DEPTH = 8
MAX_COMPARISONS = 100
MAX_VALUES = 1000
MAX_TEXT = 256

Operator = Literal[
    "=", "!=", "<", "<=", ">", ">=", "in", "not in", "<<", "!<<", "like", "not like", "contains", "not contains"
]

Scalar: TypeAlias = "Annotated[int, Field(strict=True)] | Annotated[str, Field(max_length=MAX_TEXT)]"


class _Node(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, populate_by_name=True, use_attribute_docstrings=True)


class Comparison(_Node):
    """A column compared with a value."""

    column: str = Field(max_length=MAX_TEXT, examples=["SrcAS"])
    """Name of a column."""

    operator: Operator = "="
    """`<<`: inside a prefix; `like`: `%` stands for any text, `_` for one character; `contains`: for lists."""

    value: Scalar | Annotated[list[Scalar], Field(min_length=1, max_length=MAX_VALUES)]
    """Value, or for `in` and `not in` a list: numbers, texts, addresses, prefixes, MACs, `AS64500`, names."""


class AllOf(_Node):
    """All of some conditions."""

    conditions: list[Condition] = Field(alias="and", min_length=1, max_length=MAX_COMPARISONS)
    """Conditions that all hold."""


class AnyOf(_Node):
    """Any of some conditions."""

    conditions: list[Condition] = Field(alias="or", min_length=1, max_length=MAX_COMPARISONS)
    """Conditions of which one holds at least."""


class Not(_Node):
    """The contrary of a condition."""

    condition: Condition = Field(alias="not")
    """Condition that does not hold."""


def _tag(node: object) -> str:
    if isinstance(node, dict):
        return next((key for key in ("and", "or", "not") if key in node), "comparison")
    return next(
        (tag for kind, tag in ((AllOf, "and"), (AnyOf, "or"), (Not, "not")) if isinstance(node, kind)), "comparison"
    )


Condition: TypeAlias = Annotated[
    Annotated[Comparison, Tag("comparison")]
    | Annotated[AllOf, Tag("and")]
    | Annotated[AnyOf, Tag("or")]
    | Annotated[Not, Tag("not")],
    Discriminator(_tag),
]


def _refuse_large(node: object) -> object:
    """Refuse a tree that is too deep or too large, before anything recurses into it."""
    level, seen = [node], 0
    for depth in range(MAX_DEPTH + 1):
        seen += len(level)
        if seen > 2 * MAX_COMPARISONS:
            raise ValueError(f"a filter may hold {MAX_COMPARISONS} comparisons at most")
        level = [child for parent in level for child in _children(parent)]
        if not level:
            return node
        if depth == MAX_DEPTH:
            raise ValueError(f"a filter may be nested {MAX_DEPTH} levels deep at most")
    return node


def _children(node: object) -> Iterator[object]:
    if isinstance(node, AllOf | AnyOf):
        yield from node.conditions
    elif isinstance(node, Not):
        yield node.condition
    elif isinstance(node, dict):
        for key in ("and", "or"):
            if isinstance(node.get(key), list):
                yield from node[key]
        if "not" in node:
            yield node["not"]


Filter: TypeAlias = Annotated[Condition, BeforeValidator(_refuse_large)]
"""A condition as it comes from outside."""

for _model in (AllOf, AnyOf, Not):
    _model.model_rebuild()


def comparisons(condition: Comparison | AllOf | AnyOf | Not) -> Iterator[Comparison]:
    """Every comparison of a tree."""
    if isinstance(condition, Comparison):
        yield condition
    elif isinstance(condition, Not):
        yield from comparisons(condition.condition)
    else:
        for inner in condition.conditions:
            yield from comparisons(inner)
