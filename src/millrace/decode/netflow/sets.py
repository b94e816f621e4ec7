"""The sets of NetFlow v9 and IPFIX messages, located for the whole batch at once."""

from __future__ import annotations

from dataclasses import dataclass, fields

import numpy as np

from millrace.batch import windows
from millrace.batch.arrays import I64, U8, AnyArray, Bool
from millrace.decode.netflow.headers import IPFIX, Headers
from millrace.decode.netflow.scopes import BatchScopes
from millrace.decode.result import Counts

SET_HEADER_BYTES = 4
FIRST_DATA_SET = 256
MAX_SETS = 1024
"""Sets read of one message: honest ones of 9000 bytes have fewer, hostile ones of 64 KB could have 16 000."""


@dataclass(slots=True)
class Sets:
    """A row per set; every array is int64 of shape (n,) but `arena`.

    Attributes
    ----------
    arena : ndarray of uint8
        Where `start` and `stop` point into.
    id : set ID
    start, stop : byte range of what follows the set header
    row : row of the headers of the batch (for released sets: of the datagram that released them)
    scope : row of `BatchScopes`
    version : `V9` or `IPFIX`
    datagram : index in the batch
    position : place in wire order within the batch
    received_ms, export_ms, uptime : of the datagram that carried the set
    """

    arena: U8
    id: I64
    start: I64
    stop: I64
    row: I64
    scope: I64
    version: I64
    datagram: I64
    position: I64
    received_ms: I64
    export_ms: I64
    uptime: I64

    def __len__(self) -> int:
        return len(self.id)

    def take(self, which: I64 | Bool | slice) -> Sets:
        """Rows of `which`."""
        return Sets(self.arena, *(getattr(self, field.name)[which] for field in fields(self)[1:]))


def find_sets(arena: U8, headers: Headers, scopes: BatchScopes, messages: I64, counts: Counts) -> Sets:
    """Locate the sets of messages by a frontier: one cursor per message.

    A set whose length is below that of its header ends its message
    (``bad-length``), unless nothing but zero bytes is left, which is padding;
    one that reaches beyond the end of the message is cut there (``truncated``):
    its whole records count. After `MAX_SETS` sets the rest of a message is
    given up (``too-many-sets``).

    Parameters
    ----------
    messages : ndarray of int64
        Rows of `headers` that are NetFlow v9 or IPFIX.
    """
    words = windows(arena, ">u2")
    cursor, stop = headers.start[_rows(messages, headers)], _message_ends(arena, headers, scopes, messages, counts)
    row = messages
    steps: list[tuple[I64, I64, I64, I64]] = []
    while len(row):
        if len(steps) == MAX_SETS:
            _count_unread(row, cursor, stop, scopes, counts)
            break
        room = stop - cursor
        going = room >= SET_HEADER_BYTES
        if not going.all():
            _count_trailing(arena, row, cursor, stop, ~going & (room > 0), scopes, counts)
            row, cursor, stop, room = row[going], cursor[going], stop[going], room[going]
            if not len(row):
                break
        length = words[cursor + 2].astype(np.int64)
        bad = length < SET_HEADER_BYTES
        if bad.any():
            bad_rows = np.flatnonzero(bad)
            lost = bad_rows[any_byte(arena, cursor[bad], stop[bad])]
            _count_bad(words, row, cursor, lost, headers, scopes, counts)
            good = ~bad
            row, cursor, stop, room, length = row[good], cursor[good], stop[good], room[good], length[good]
        over = length > room
        if over.any():
            _count_cut(row[over], length[over], room[over], scopes, counts)
        end = cursor + np.minimum(length, room)
        steps.append((row, words[cursor].astype(np.int64), cursor + SET_HEADER_BYTES, end))
        cursor = end
    return _in_wire_order(arena, steps, headers, scopes)


def _in_wire_order(arena: U8, steps: list[tuple[I64, I64, I64, I64]], headers: Headers, scopes: BatchScopes) -> Sets:
    if len(steps) == 1:
        row, ids, start, stop = steps[0]
    elif steps:
        row, ids, start, stop = (np.concatenate([step[i] for step in steps]) for i in range(4))
        order = np.argsort(row, kind="stable")
        row, ids, start, stop = row[order], ids[order], start[order], stop[order]
    else:
        row = ids = start = stop = np.zeros(0, np.int64)
    of = _rows(row, headers) if len(steps) == 1 else row
    return Sets(
        arena, ids, start, stop, row, scopes.index[of], headers.version[of], headers.datagram[of],
        np.arange(len(row)), headers.time_ns[of] // 1_000_000, headers.export_ms[of], headers.uptime[of],
    )  # fmt: skip


def _rows(messages: I64, headers: Headers) -> I64 | slice:
    """Rows of some messages, each of which is there once and in order: of all of them nothing has to be copied."""
    return slice(None) if len(messages) == len(headers) else messages


def _message_ends(arena: U8, headers: Headers, scopes: BatchScopes, messages: I64, counts: Counts) -> I64:
    """Where each message ends: NetFlow v9 with its datagram, IPFIX by its length where that is not a lie."""
    of = _rows(messages, headers)
    start, stop = headers.start[of], headers.stop[of]
    announced = start - 16 + headers.count[of]
    wrong = (headers.version[of] == IPFIX) & (announced != stop)
    if not wrong.any():
        return stop
    ends = np.where(wrong, np.clip(announced, start, stop), stop)
    # Zero bytes after a message are padding.
    beyond = np.flatnonzero(ends < stop)
    if len(beyond):
        wrong[beyond] = any_byte(arena, ends[beyond], stop[beyond])
    for row, end in zip(messages[wrong].tolist(), announced[wrong].tolist(), strict=True):
        exporter, protocol = scopes.keys[scopes.index[row]]
        reason = "message-truncated" if end > headers.stop[row] else "trailing-bytes"
        whole = int(headers.stop[row] - headers.start[row]) + 16
        detail = f"message length is {int(headers.count[row])}, the datagram has {whole} bytes"
        counts.drop(exporter, protocol, "set", reason, 1, detail)
    return ends


def _count_bad(
    words: AnyArray, row: I64, cursor: I64, bad: I64, headers: Headers, scopes: BatchScopes, counts: Counts
) -> None:
    for at in bad.tolist():
        message = int(row[at])
        exporter, protocol = scopes.keys[scopes.index[message]]
        ident, length = (int(words[cursor[at] + i]) for i in (0, 2))
        offset = int(cursor[at] - headers.start[message])
        detail = f"set {ident} at byte {offset} after the header has length {length}; at least 4 expected"
        counts.drop(exporter, protocol, "set", "bad-length", 1, detail)


def any_byte(arena: U8, start: I64, stop: I64) -> Bool:
    """Whether each of some byte ranges, none of them empty, holds anything but zeros."""
    edges = np.stack([start, stop], axis=1).reshape(-1)
    found: Bool = np.bitwise_or.reduceat(arena, edges)[::2] != 0
    return found


def _count_trailing(
    arena: U8, row: I64, cursor: I64, stop: I64, left: Bool, scopes: BatchScopes, counts: Counts
) -> None:
    """Count bytes after the last set that are too few for another one and not zero."""
    which = np.flatnonzero(left)
    if len(which):
        for at in which[any_byte(arena, cursor[which], stop[which])].tolist():
            exporter, protocol = scopes.keys[scopes.index[int(row[at])]]
            detail = f"{int(stop[at] - cursor[at])} bytes follow the last set"
            counts.drop(exporter, protocol, "set", "trailing-bytes", 1, detail)


def _count_unread(row: I64, cursor: I64, stop: I64, scopes: BatchScopes, counts: Counts) -> None:
    for message, left in zip(row.tolist(), (stop - cursor).tolist(), strict=True):
        if left >= SET_HEADER_BYTES:
            exporter, protocol = scopes.keys[scopes.index[message]]
            detail = f"message has more than {MAX_SETS} sets; the last {left} bytes were not read"
            counts.drop(exporter, protocol, "set", "too-many-sets", 1, detail)


def _count_cut(row: I64, length: I64, room: I64, scopes: BatchScopes, counts: Counts) -> None:
    for message, announced, left in zip(row.tolist(), length.tolist(), room.tolist(), strict=True):
        exporter, protocol = scopes.keys[scopes.index[message]]
        counts.drop(
            exporter, protocol, "set", "truncated", 1, f"set announces {announced} bytes, {left} are left; cut there"
        )
