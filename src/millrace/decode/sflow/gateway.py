"""The extended gateway record: BGP attributes of the route to the destination."""

from __future__ import annotations

import numpy as np

from millrace.batch import Lists
from millrace.batch.arrays import I64, U32, Bool
from millrace.decode.packet.cursor import Cursor
from millrace.decode.packet.sheet import Sheet, ragged
from millrace.decode.sflow.fields import read_addresses, read_lists, read_words
from millrace.decode.sflow.records import Records
from millrace.decode.sflow.tally import Tally

MAX_SEGMENTS = 32
"""AS path segments read of one record; paths have one or two."""

_NUMBERS = np.dtype([("as", ">u4"), ("src_as", ">u4"), ("src_peer_as", ">u4"), ("segments", ">u4")])
_SEGMENT = np.dtype([("type", ">u4"), ("count", ">u4")])


def fill_gateway(records: Records, sheet: Sheet, tally: Tally, datagram: I64) -> None:
    """Fill next hop, AS numbers, AS path and communities (sFlow v5 page 38).

    ::

        next hop | as | src as | src peer as | number of segments
        segments: type (1 set, 2 sequence) | number of ASes | ASes …
        number of communities | communities … | local preference

    ``DstAS`` is the last AS of the path; sets are flattened in the order in
    which they stand. A source AS of 0 and an empty path mean the agent's own
    AS or none and tell nothing. Lists whose count does not fit the record are
    counted, and what stands before them is kept.
    """
    hop = read_addresses(records.cursor, records.stop)
    lists = hop.after.move(_NUMBERS.itemsize)
    fits = hop.sane & (lists.at <= records.stop)
    sheet.put_known("BGPNextHop", records.sample, hop.values, hop.known)
    numbers = hop.after.only(fits).read(_NUMBERS)
    source = numbers["src_as"].astype(np.int64)
    sheet.put_known("SrcAS", records.sample, source, fits & (source > 0))
    rows = np.flatnonzero(fits)
    at = lists.at[rows]
    at, whole = _fill_path(records, sheet, rows, at, numbers["segments"][rows].astype(np.int64))
    communities = _fill_communities(records, sheet, rows[whole], at[whole])
    good = np.zeros(len(records), np.bool_)
    good[rows[whole][communities]] = True
    if not good.all():
        bad = records.pick(~good)
        tally.drop(
            "record", "bad-length", datagram[bad.sample],
            lambda i: f"extended gateway of {bad.lengths[i]} bytes is shorter than its lists",
        )  # fmt: skip


def _fill_path(records: Records, sheet: Sheet, rows: I64, at: I64, left: I64) -> tuple[I64, Bool]:
    """Read the AS paths of the records `rows`; where each ends, and which are whole."""
    end = at.copy()
    whole = left == 0
    index = np.flatnonzero(~whole)
    segments: list[tuple[I64, I64, I64]] = []
    for _ in range(MAX_SEGMENTS):
        first = end[index] + _SEGMENT.itemsize
        stop = records.stop[rows[index]]
        shown = first <= stop
        # A head that lies outside is read from elsewhere and not used.
        count = Cursor(records.cursor.arena, end[index]).only(shown).read(_SEGMENT)["count"].astype(np.int64)
        fits = np.flatnonzero(shown & (count <= (stop - first) // 4))
        if not len(fits):
            break
        if len(fits) < len(index):
            index, count, first = index[fits], count[fits], first[fits]
        segments.append((index, first, count))
        end[index] = first + count * 4
        left[index] -= 1
        done = left[index] == 0
        whole[index[done]] = True
        index = index[~done]
    if segments:
        owner, first, count = (np.concatenate(parts) for parts in zip(*segments, strict=True))
        path = ragged(sheet.rows, records.sample[rows[owner]], count, read_lists(records.cursor.arena, first, count))
        _tell_path(sheet, path, records.sample[rows])
    return end, whole


def _tell_path(sheet: Sheet, path: Lists, rows: I64) -> None:
    known = np.zeros(sheet.rows, np.bool_)
    known[rows] = True
    sheet.put_lists("DstASPath", path, known)
    lengths = np.diff(path.offsets)
    some = np.flatnonzero(lengths)
    sheet.put("DstAS", some, path.values[path.offsets[1:][some] - 1])
    for position, values in enumerate(_distinct_hops(path, 3)):
        row, hop = values
        if len(row):
            sheet.put(("Dst1stAS", "Dst2ndAS", "Dst3rdAS")[position], row, hop)


def _distinct_hops(path: Lists, most: int) -> list[tuple[I64, U32]]:
    """The first ASes of each path, each prepending counted once: rows and values of 1st, 2nd and so on."""
    start, stop = path.offsets[:-1], path.offsets[1:]
    fresh = np.ones(len(path.values), np.bool_)
    fresh[1:] = path.values[1:] != path.values[:-1]
    fresh[start[stop > start]] = True
    hops = path.values[fresh]
    number = np.zeros(len(fresh) + 1, np.int64)
    np.cumsum(fresh, out=number[1:])
    first, last = number[start], number[stop]
    found: list[tuple[I64, U32]] = []
    for position in range(most):
        rows = np.flatnonzero(last - first > position)
        found.append((rows, hops[first[rows] + position]))
    return found


def _fill_communities(records: Records, sheet: Sheet, rows: I64, at: I64) -> Bool:
    """Read the communities of the records `rows`; which lists are whole."""
    stop = records.stop[rows]
    count, shown = read_words(Cursor(records.cursor.arena, at), stop)
    whole = shown & (count <= (stop - at - 4) // 4)
    rows, at, count = records.sample[rows[whole]], at[whole] + 4, count[whole]
    if count.any():
        known = np.zeros(sheet.rows, np.bool_)
        known[rows] = True
        sheet.put_lists(
            "DstCommunities", ragged(sheet.rows, rows, count, read_lists(records.cursor.arena, at, count)), known
        )
    return whole
