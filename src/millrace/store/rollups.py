"""SQL of the rollups. Knows no engine.

A rollup statement takes the rows of a range of insert blocks (`_block_number`,
which merges keep), groups them by a 64-bit hash of interval and keys, and adds
one row per group to the next coarser table. Every block is taken exactly once,
so the sums of each interval are right whenever its flows come: late flows add
rows to their interval, and readers add up.

Every column that a rollup keeps is a key, names and speeds of interfaces too:
what a look-up said may change inside of an interval, and each flow counts for
what was said of it. Texts are hashed by themselves, which the engine does once
per word of a dictionary: grouping 8 million flows by 48 keys takes 2.2 s of one
thread, where all of them hashed row by row would take 4.5 s. Of a million groups
in a statement two agree in the hash once in 4·10⁷ statements; the flows of one
then count for the other.

The values of a group come from one of its rows, as they are the same in all:
the groups carry only its position, and a join fetches the rest. An ``any()``
per column takes six times as long, and 2 KB per group.

Sums do not wrap: rows of `LARGE` bytes or packets or more are taken over one by
one, and a statement takes far fewer than 2²⁸ of the others.
"""

from __future__ import annotations

from dataclasses import dataclass

from millrace.schema import Kind, Schema
from millrace.store.resolutions import OPEN_TABLE, Resolution

_POSITION = "bitShiftLeft(toUInt64(_part_index), 40) + _part_offset"
LARGE = 1 << 36
"""Bytes or packets from which on a row is not added to others: 2²⁸ smaller ones stay below 2⁶⁴.

Sixty-nine gigabytes in one row are rare, and mostly forged; a rollup has some rows more where they are true.
"""

# The third piece of a part's name is its last block.
_LAST_BLOCK = "toUInt64(splitByChar('_', _part)[3])"


@dataclass(frozen=True, slots=True)
class BlockRange:
    """Insert blocks after `after`, up to and including `upto`."""

    after: int
    upto: int

    @property
    def where(self) -> str:
        """Condition on the rows of a table."""
        return f"{newer_than(self.after)} AND _block_number <= {self.upto}"


def newer_than(block: int | str) -> str:
    """Condition for rows inserted after a block.

    The hint skips parts without new blocks by their names. As a plain
    condition it would also be computed for every row, at 0.2 µs each.
    """
    return f"indexHint({_LAST_BLOCK} > {block}) AND _block_number > {block}"


def rollup_statement(schema: Schema, resolution: Resolution, blocks: BlockRange) -> str:
    """INSERT … SELECT that adds a range of source blocks to a rollup."""
    keys = [column.name for column in schema if column.rollup == "key"]
    sums = [column.name for column in schema if column.rollup == "sum"]
    columns = ", ".join(f"`{name}`" for name in ("TimeReceived", *keys, *sums, "Flows"))
    added = ", ".join(f"sum(`{name}`) AS `_{name}`" for name in sums)
    interval = f"{resolution.start_of}(TimeReceived)"
    return (
        f"INSERT INTO {resolution.table} ({columns})\n"
        f"SELECT one.Interval, {', '.join(f'one.`{name}`' for name in keys)}, "
        f"{', '.join(f'many.`_{name}`' for name in sums)}, many.Flows\n"
        f"FROM (SELECT {_POSITION} AS Position, {interval} AS Interval, "
        f"{', '.join(f'`{name}`' for name in keys)} FROM {resolution.source} WHERE {blocks.where}) AS one\n"
        f"INNER JOIN (SELECT min({_POSITION}) AS Position, {added}, {flows_of(resolution.source)} AS Flows "
        f"FROM {resolution.source} WHERE {blocks.where} "
        f"GROUP BY {_group(schema, interval)}) AS many\n"
        "ON one.Position = many.Position"
    )


def _group(schema: Schema, interval: str) -> str:
    """Expression of the hash that tells groups apart.

    Each text is hashed by itself, so that none can borrow letters of its neighbour.
    """
    keys = (
        f"cityHash64(`{column.name}`)" if column.kind is Kind.TEXT else f"`{column.name}`"
        for column in schema
        if column.rollup == "key"
    )
    sums = ", ".join(f"`{column.name}`" for column in schema if column.rollup == "sum")
    alone = f"if(greatest({sums}) >= {LARGE}, {_POSITION} + 1, 0)"
    return f"cityHash64({', '.join([interval, *keys, alone])})"


def flows_of(table: str) -> str:
    """Expression for the number of flows in rows of a table."""
    return "count()" if table == OPEN_TABLE else "sum(Flows)"


def summary_statement(table: str, condition: str) -> str:
    """Rows, flows and oldest time (Unix ms) of the rows that meet a condition."""
    oldest = "toUnixTimestamp64Milli(min(toDateTime64(TimeReceived, 3, 'UTC')))"
    return f"SELECT count(), {flows_of(table)}, {oldest} FROM {table} WHERE {condition}"


def pending_statement(table: str, after: int) -> str:
    """Rows and oldest second (Unix ms) of the parts with blocks after a block, by their names alone."""
    return (
        "SELECT sum(rows), toUnixTimestamp(min(min_time)) * 1000 FROM system.parts WHERE active AND rows > 0 "
        f"AND database = currentDatabase() AND table = '{table}' AND max_block_number > {after}"
    )


def parts_statement(table: str, after: int) -> str:
    """Active parts with blocks after a block: first block, last block, rows; oldest first."""
    return (
        "SELECT min_block_number, max_block_number, rows FROM system.parts "
        f"WHERE active AND database = currentDatabase() AND table = '{table}' AND max_block_number > {after} "
        "ORDER BY max_block_number"
    )


def last_block_statement(table: str) -> str:
    """Highest block of a table; 0 if it is empty."""
    return (
        "SELECT max(max_block_number) FROM system.parts "
        f"WHERE active AND database = currentDatabase() AND table = '{table}'"
    )


def undo_statement(resolution: Resolution, after: int) -> str:
    """Remove what an unfinished statement added: nobody else writes to a rollup."""
    return f"DELETE FROM {resolution.table} WHERE {_LAST_BLOCK} > {after} AND _block_number > {after}"


def choose_upto(parts: list[tuple[int, int, int]], after: int, max_rows: int) -> int:
    """Last block to take so that about `max_rows` rows are taken, at least one block.

    Parameters
    ----------
    parts : list of (first block, last block, rows)
        As `parts_statement` gives them. Rows of a merged part are taken as
        spread evenly over its blocks.
    after : int
        Blocks up to here are done.
    max_rows : int
    """
    taken, upto = 0.0, after
    for first, last, rows in parts:
        new = last - max(first - 1, after, upto)
        if new <= 0:
            taken += rows * _share(first, last, after, upto)
            continue
        share = rows * _share(first, last, after, last)
        if taken + share > max_rows:
            per_block = share / (last - max(first - 1, after))
            room = int((max_rows - taken) / per_block) if per_block else new
            start = max(first - 1, after, upto)
            return max(start + max(0, min(room, new)), upto, after + 1)
        taken += share
        upto = last
    return upto


def _share(first: int, last: int, after: int, upto: int) -> float:
    """Part of the blocks first … last that lies in (after, upto]."""
    inside = min(last, upto) - max(first - 1, after)
    return max(0, inside) / (last - first + 1)
