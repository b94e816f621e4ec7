"""Filters and batches of any shape, for property tests."""

from functools import cache
from ipaddress import IPv4Network, IPv6Network
from random import Random

import numpy as np
from hypothesis import strategies as st

from millrace.batch import Coded, FlowBatch, Lists
from millrace.lang import (
    And,
    ColumnComparison,
    Comparison,
    Everything,
    Filter,
    Membership,
    Not,
    Or,
    Prefix,
    Span,
    operators_of,
)
from millrace.lang.operators import column_operators, comparable
from millrace.lang.values import BITS, is_country, subnet
from millrace.schema import Column, Kind, Schema
from unit.lang.texts import FILTERS

SAVED = {"transit": "InIfConnectivity IN (transit, ix) OR SrcAS = 1", "nested": "NOT @transit", "cycle": "@cycle"}

SCHEMA = Schema(extra=[Column("TestNumber", Kind.U64, "Number", "A number of 64 bits.", "Test")])

FEW = (
        "TimeReceived", "TimeFlowStart", "SamplingRate", "Bytes", "FlowDirection", "ExporterName", "SrcAddr", "DstAddr",
        "SrcPort", "DstPort", "SrcAS", "DstAS", "SrcCountry", "SrcMAC", "DstMAC", "InIfName", "OutIfName",
        "InIfBoundary", "OutIfBoundary", "EType", "Proto", "DstASPath", "DstCommunities", "TestNumber",
)  # fmt: skip
"""A few columns of each kind, so that filters and batches meet."""

# Names rather than columns are arguments of strategies: Hypothesis warns of large representations.
_EVERY = SCHEMA.names

_CALLED = {"LIKE": "like", "NOT LIKE": "not-like", "ILIKE": "ilike", "NOT ILIKE": "not-ilike"}
FEW_TEXTS = ("", "a", "A", "ab", "transit", "th2-edge1", "100%", "a_b", "a\\b", 'quo"te', "it's", "é", "É", "a\nb")
_FEW_COUNTRIES = ("", "DE", "FR", "IN", "NO", "EU")
_FEW_ADDRESSES = (bytes(16), b"\xff" * 16, bytes(10) + b"\xff\xff\x0a\x00\x00\x01")
_TEXTS = st.one_of(
    st.sampled_from(FEW_TEXTS),
    st.text(st.characters(exclude_categories=["Cs"]), max_size=12),
)
PATTERNS = st.text(st.sampled_from("aAbé%_.-\n\\\\"), max_size=6).map(
    lambda text: text + "\\" if (len(text) - len(text.rstrip("\\"))) % 2 else text
)
_REGEXES = st.sampled_from(["", "^a", "b$", "a.b", "[a-c]+", "(?i)É", r"\d", "a|b", "^$", r"\.", "(?:x)?", '"'])
_ADDRESSES = st.one_of(
    st.sampled_from(_FEW_ADDRESSES),
    st.binary(min_size=4, max_size=4).map(lambda packed: bytes(10) + b"\xff\xff" + packed),
    st.binary(min_size=16, max_size=16),
)


@st.composite
def _subnets(draw) -> Prefix:
    if draw(st.booleans()):
        return subnet(IPv4Network((draw(st.binary(min_size=4, max_size=4)), draw(st.integers(0, 32))), strict=False))
    return subnet(IPv6Network((draw(_ADDRESSES), draw(st.integers(0, 128))), strict=False))


@cache
def values(column: Column) -> st.SearchStrategy:
    """Single values of a column, often small ones so that they meet."""
    match column.kind:
        case Kind.ADDRESS:
            return _ADDRESSES
        case Kind.ENUM:
            return st.sampled_from(column.values)
        case Kind.TEXT if is_country(column):
            return st.sampled_from(_FEW_COUNTRIES)
        case Kind.TEXT:
            return _TEXTS
        case Kind.TIME_MS:
            return st.integers(0, 5) | st.integers(0, 10_413_791_999_999)
        case Kind.MAC:
            return st.integers(0, 5) | st.integers(0, 2**48 - 1)
        case kind:
            return st.integers(0, 5) | st.integers(0, 2 ** BITS[kind] - 1)


@st.composite
def _spans(draw, name: str) -> Span:
    column = SCHEMA[name]
    return Span(*sorted((draw(values(column)), draw(values(column)))))


@st.composite
def _comparisons(draw, names: tuple[str, ...]) -> Filter:
    column = SCHEMA[draw(st.sampled_from(names))]
    operator = draw(st.sampled_from(operators_of(column)))
    single = values(column)
    if operator in ("IN", "NOT IN", "BETWEEN", "NOT BETWEEN"):
        if column.kind is Kind.U32_LIST:
            return Comparison(column, "=", draw(single))
        item = single
        if "BETWEEN" in operators_of(column):
            item = item | _spans(column.name)
        if column.kind is Kind.ADDRESS:
            item = item | _subnets()
        items = draw(st.lists(item, min_size=1, max_size=4, unique=True))
        return Membership(column, tuple(items), operator.startswith("NOT"))
    if operator in ("<<", "!<<"):
        return Comparison(column, operator, draw(_subnets()))
    if operator in ("~", "!~"):
        return Comparison(column, operator, draw(_REGEXES))
    if operator in _CALLED:
        return Comparison(column, _CALLED[operator], draw(PATTERNS))
    others = [name for name in names if comparable(column, SCHEMA[name]) and operator in column_operators(column)]
    if others and draw(st.booleans()):
        offset = draw(st.integers(-5, 5) | st.integers(-(10**10), 10**10)) if column.kind is Kind.TIME_MS else 0
        return ColumnComparison(column, operator, SCHEMA[draw(st.sampled_from(others))], offset)
    return Comparison(column, operator, draw(single))


def conditions(names: tuple[str, ...] = _EVERY) -> st.SearchStrategy[Filter]:
    """Trees as `parse` makes them: an `And` holds no `And`, an `Or` no `Or`."""

    def grown(inner: st.SearchStrategy[Filter]) -> st.SearchStrategy[Filter]:
        def parts(kind: type) -> st.SearchStrategy[tuple[Filter, ...]]:
            others = inner.filter(lambda part: not isinstance(part, kind))
            return st.lists(others, min_size=2, max_size=3).map(tuple)

        return parts(And).map(And) | parts(Or).map(Or) | inner.map(Not)

    return st.recursive(_comparisons(names), grown, max_leaves=6)


def filters(names: tuple[str, ...] = _EVERY) -> st.SearchStrategy[Filter]:
    """Any filter."""
    return st.just(Everything()) | conditions(names)


_PIECES = (
    "( ) , - + = != < <= << !<< ~ AND or NOT IN not like BETWEEN SrcAS DstPort SrcAddr Proto InIfName DstAS DstASPath "
    "SrcCountry TimeFlowEnd TimeFlowStart SrcMAC InIfBoundary DstCommunities 1 443 80-90 AS1 AS64500.1 10k 1.5M 90s "
    "10.0.0.0/8 ::1 2001:db8::/32 00:11:22:33:44:55 65000:100 google udp https France external 18446744073709551616 "
    "\"text\" 'te\\'xt' 'a% \"b 2026-01-31 2026-01-31T12:00:00Z @transit @nothing @\"my @ --c\n /*c*/ /* */ # \ud800 \0"
)


@st.composite
def _mutated(draw) -> str:
    """A right text with pieces removed, exchanged or put in, so that some are still right."""
    words = draw(st.sampled_from(FILTERS)).split(" ")
    for _ in range(draw(st.integers(0, 3))):
        place = draw(st.integers(0, len(words)))
        piece = draw(st.sampled_from(_PIECES.split(" ")) | st.sampled_from(words or ["AND"]))
        words[place : place + draw(st.integers(0, 1))] = draw(st.sampled_from([[piece], []]))
    return draw(st.sampled_from([" ", ""] if draw(st.integers(0, 9)) == 0 else [" "])).join(words)


def texts() -> st.SearchStrategy[str]:
    """Texts that are filters, that nearly are, and that are nothing of the kind."""
    pieces = st.lists(st.sampled_from(_PIECES.split(" ")), max_size=12).map(" ".join)
    anything = st.text(st.characters(codec=None), max_size=40)
    return _mutated() | pieces | anything | st.text(st.sampled_from("@\"'()-/*=!<~ aI.:0\\\n"), max_size=30)


def _pool(column: Column) -> list:
    """A few values of a column, for batches: those that `values` likes to draw."""
    match column.kind:
        case Kind.ADDRESS:
            return [*_FEW_ADDRESSES, bytes(15) + b"\x01"]
        case Kind.ENUM:
            return list(column.values)
        case Kind.TEXT:
            return list(_FEW_COUNTRIES if is_country(column) else FEW_TEXTS)
        case _:
            return [*range(6), 2**16 - 1 if column.kind is Kind.U16 else 200]


def _column_of(random: Random, column: Column, rows: int):
    pool = _pool(column)
    drawn = random.choices(pool, k=rows)
    match column.kind:
        case Kind.TEXT:
            return Coded(np.array([pool.index(value) for value in drawn], np.int32), pool)
        case Kind.ADDRESS:
            packed = np.frombuffer(b"".join(drawn), np.uint8).reshape(-1, 16)
            return packed if random.random() < 0.5 else Coded(np.arange(rows, dtype=np.int32)[::-1].copy(), packed)
        case Kind.ENUM:
            return np.array([column.values.index(value) for value in drawn], np.uint8)
        case Kind.U32_LIST:
            lengths = random.choices(range(4), k=rows)
            offsets = np.concatenate([[0], np.cumsum(lengths)]).astype(np.int32)
            return Lists(offsets, np.array(random.choices(pool, k=sum(lengths)), np.uint32))
        case kind:
            return np.array(drawn, kind.dtype)


@cache
def batch_of(seed: int) -> FlowBatch:
    """A batch of `FEW` columns that lacks some of them, and some values of others."""
    random = Random(seed)
    rows = 0 if seed == 0 else 40
    batch = FlowBatch(rows)
    for name in FEW:
        known = random.choice(["complete", "partly", "absent"])
        if known != "absent":
            valid = np.array(random.choices([True, False], k=rows), np.bool_) if known == "partly" else None
            batch.put(name, _column_of(random, SCHEMA[name], rows), valid)
    return batch


def batches() -> st.SearchStrategy[FlowBatch]:
    """Batches made beforehand: drawing them value by value takes Hypothesis long."""
    return st.integers(0, 30).map(batch_of)
