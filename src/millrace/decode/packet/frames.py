"""The frames being dissected: where each one stands, and what is known of it so far."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from millrace.batch.arrays import I64, U8, AnyArray, Bool
from millrace.decode.packet.cursor import Cursor
from millrace.decode.packet.layers import Layer, Table
from millrace.decode.packet.sheet import Sheet
from millrace.schema import Schema

_TRANSPORT_COLUMNS = (
    "SrcPort", "DstPort", "TCPFlags", "ICMPType", "ICMPCode", "IPFragmentID", "IPFragmentOffset", "IPv6FlowLabel",
)  # fmt: skip
"""Columns that not every IP packet has: those of the outer packet must not show beside an inner one."""

_USUAL_BYTES = 64
"""Seen of all frames at once: Ethernet, IPv4 or IPv6 without options, what is read of TCP. The arena's padding keeps
it inside."""


@dataclass(frozen=True, slots=True)
class Front:
    """Frames that reached the same layer.

    Attributes
    ----------
    rows : ndarray of int64, shape (k,)
        Distinct frames.
    cursor : Cursor
        At the layer's first byte.
    tag : ndarray of uint8, shape (k,)
        Protocol number that announced the layer, where one did.
    whole : bool
        `rows` are all frames in order, so that columns need no scattering.
    """

    rows: I64
    cursor: Cursor
    tag: U8
    whole: bool = False

    def __len__(self) -> int:
        return len(self.rows)

    @property
    def at(self) -> I64:
        """Offset of the layer's first byte in the arena; ndarray of int64, shape (k,). Not to be modified."""
        return self.cursor.at

    @property
    def target(self) -> I64 | None:
        """Rows to write to, as `Sheet.put` wants them."""
        return None if self.whole else self.rows

    def pick(self, mask: Bool) -> Front:
        """The frames of a mask."""
        # One conversion to an index and three takes: each mask by itself would cost four times a take.
        return self if mask.all() else self.take(np.flatnonzero(mask))

    def take(self, index: I64) -> Front:
        """The frames at some indices."""
        return Front(self.rows.take(index), self.cursor.take(index), self.tag.take(index))

    def move(self, step: int | I64) -> Front:
        """The same frames so many bytes on."""
        return Front(self.rows, self.cursor.move(step), self.tag, self.whole)


class Frames:
    """State of the dissection of a batch of frames.

    Parameters
    ----------
    schema : Schema
    begin : Cursor
        At the first byte of each frame.
    stop : ndarray of int64, shape (n,)
        End of its captured bytes.
    wanted : iterable of str
        Layers (as in `HeaderBits.layer`) whose offsets are remembered.

    Attributes
    ----------
    limit : ndarray of int64, shape (n,)
        End of what belongs to the innermost IP packet seen so far: bytes that
        follow it in the frame are padding and not believed.
    depth : ndarray of uint8, shape (n,)
        IP headers read.
    l3_bytes : ndarray of int64, shape (n,)
        Length of the outermost IP packet by its own header; -1: unknown.
    link_bytes : ndarray of int64, shape (n,)
        Bytes before the outermost network header.
    marks : dict of str to ndarray of int64, shape (n,)
        Offset of the outermost header of each wanted layer; -1: none.
    """

    def __init__(self, schema: Schema, begin: Cursor, stop: I64, wanted: frozenset[str]) -> None:
        rows = len(stop)
        self.arena = begin.arena
        self.start = begin.at
        self.stop = stop
        self.limit = stop.copy()
        self.depth = np.zeros(rows, np.uint8)
        self.l3_bytes = np.full(rows, -1, np.int64)
        self.link_bytes = np.zeros(rows, np.int64)
        self.sheet = Sheet(schema, rows)
        self.marks = {layer: np.full(rows, -1, np.int64) for layer in wanted}
        self._begin = begin
        self._every_row = np.arange(rows)
        self._least: int | None = None
        self._waiting: dict[Layer, list[Front]] = {}

    def begin(self, table: Table, numbers: U8) -> None:
        """Send every frame to the layer that a table names for its number."""
        rows = self._every_row
        self.look_up(
            table, numbers, Front(rows, self._begin.here(_USUAL_BYTES), np.zeros(len(rows), np.uint8), whole=True)
        )

    def send(self, layers: U8, front: Front) -> None:
        """Let frames go on in the layer that each one names; those that name NONE are finished."""
        if not len(front):
            return
        first = layers[0]
        if (layers == first).all():
            self.send_all(Layer(int(first)), front)
            return
        present = np.zeros(len(Layer), np.bool_)
        present[layers] = True
        for code in np.flatnonzero(present).tolist():
            self.send_all(Layer(code), front.pick(layers == code))

    def send_all(self, layer: Layer, front: Front) -> None:
        """Let frames go on in one layer."""
        if layer is not Layer.NONE and len(front):
            self._waiting.setdefault(layer, []).append(front)

    def look_up(self, table: Table, numbers: AnyArray, front: Front) -> None:
        """Let frames go on in the layer that a table names for their number."""
        if not len(front):
            return
        if (numbers == numbers[0]).all():
            self.send_all(Layer(int(table[numbers[0]])), front)
        else:
            self.send(table.take(numbers), front)

    def reached(self) -> list[tuple[Layer, Front]]:
        """Take the frames that wait, by layer."""
        waiting, self._waiting = self._waiting, {}
        return [(layer, _join(fronts)) for layer, fronts in waiting.items()]

    def room(self, front: Front) -> I64:
        """Bytes from each cursor to the end of what may be believed."""
        limit = self.limit if front.whole else self.limit[front.rows]
        return limit - front.at

    def shows(self, front: Front, size: int) -> Bool:
        """Which frames show at least `size` bytes."""
        if front.whole and front.cursor.away is not None:
            if self._least is None:
                self._least = int((self.limit - self.start).min())
            if front.cursor.away + size <= self._least:
                return np.ones(len(front), np.bool_)
        shown: Bool = self.room(front) >= size
        return shown

    def visible(self, front: Front, size: int) -> Front:
        """The frames that show at least `size` bytes."""
        return front.pick(self.shows(front, size))

    def read(self, front: Front, layout: np.dtype[np.void]) -> AnyArray:
        """Copy a header of each frame; at least one byte of it must be `visible`.

        The arena's padding keeps a read of up to 64 bytes inside; fields
        beyond the visible bytes must not be used.
        """
        return front.cursor.read(layout)

    def mark(self, layer: str, front: Front) -> None:
        """Remember where a header begins, if it is the outermost of its kind and wanted."""
        marks = self.marks.get(layer)
        if marks is not None:
            unmarked = marks[front.rows] < 0
            marks[front.rows[unmarked]] = front.at[unmarked]

    def outside(self, front: Front) -> Bool:
        """Frames without an IP header so far."""
        depth = self.depth if front.whole else self.depth[front.rows]
        outside: Bool = depth == 0
        return outside

    def count_link(self, front: Front) -> None:
        """Count everything before the cursors as link header, unless an IP header came before."""
        outside = self.outside(front)
        if front.whole and outside.all():
            self.link_bytes = front.at - self.start
            return
        front = front.pick(outside)
        self.link_bytes[front.rows] = front.at - self.start[front.rows]

    def enter_packet(self, front: Front, length: I64) -> None:
        """Note that an IP header was read: it becomes the innermost.

        Parameters
        ----------
        front : Front
            At the IP header.
        length : ndarray of int64, shape (k,)
            Bytes of the packet by its header; -1: not told.
        """
        outside = self.outside(front)
        if front.whole and outside.all():
            self.l3_bytes = length
        else:
            if outside.all():
                self.l3_bytes[front.rows] = length
            else:
                self.l3_bytes[front.rows[outside]] = length[outside]
                self._enter_inner(front.rows[~outside])
        told = length >= 0
        end = front.at + length
        if not told.all():
            end[~told] = np.iinfo(np.int64).max
        self._least = None
        if front.whole:
            np.minimum(self.limit, end, out=self.limit)
            self.depth += np.uint8(1)
        else:
            self.limit[front.rows] = np.minimum(self.limit[front.rows], end)
            self.depth[front.rows] += np.uint8(1)

    def enter_tunnel(self, front: Front, tunnel: int, vni: AnyArray | None = None, known: Bool | None = None) -> None:
        """Note that an encapsulation was seen; type and identifier of the outermost one are told.

        They are told as soon as its header was read, also where what it
        carries is cut off or no IP, so that the traffic of a VNI adds up.

        Parameters
        ----------
        front : Front
        tunnel : int
            Code of `TunnelType`.
        vni : ndarray of integers, shape (k,), optional
        known : ndarray of bool, shape (k,), optional
            Which frames have a `vni`.
        """
        if not len(front):
            return
        outermost = ~self.sheet.known("TunnelType")[front.rows]
        if vni is not None:
            self.sheet.put_known("VNI", front.rows, vni, outermost if known is None else outermost & known)
        rows = front.rows[outermost]
        self.sheet.put("TunnelType", rows, np.full(len(rows), tunnel, np.uint8))

    def _enter_inner(self, rows: I64) -> None:
        once = rows[self.depth[rows] == 1]
        for name in ("SrcAddr", "DstAddr"):
            self.sheet.put(f"Outer{name}", once, self.sheet.get(name, once))
        for name in _TRANSPORT_COLUMNS:
            self.sheet.clear(name, rows)


def _join(fronts: list[Front]) -> Front:
    if len(fronts) == 1:
        return fronts[0]
    return Front(
        np.concatenate([front.rows for front in fronts]),
        Cursor(fronts[0].cursor.arena, np.concatenate([front.at for front in fronts])),
        np.concatenate([front.tag for front in fronts]),
    )
