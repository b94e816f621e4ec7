"""Encode flows as sFlow v5 datagrams: one flow sample of one packet for each flow.

A sample is a row of 32-bit words: XDR aligns everything to four bytes, so parts
of varying length are masked out of a rectangular block.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from millrace.batch import ARENA_PADDING, FlowBatch, Lists, address_bytes, is_mapped
from millrace.batch.arrays import I64, AnyArray, Bool
from millrace.generate.datagrams import Datagrams
from millrace.generate.frames import sampled_headers
from millrace.generate.wire_values import ipv4_words, numbers

_FLOW_SAMPLE = 1
_RAW_HEADER, _SWITCH, _ROUTER, _GATEWAY = 1, 1001, 1002, 1003
_ETHERNET = 1
_FCS = 4
_AS_SEQUENCE = 2

SAMPLE_SEQUENCE_WORD = 2
SAMPLE_POOL_WORD = 5
"""Words of a flow sample that grow from sample to sample."""

WHOLE_DEVICE = 2 << 24 | 1
"""Source id of samples: entPhysicalEntry 1, so that one sequence numbers the samples of all interfaces."""


@dataclass(frozen=True, slots=True)
class _Part:
    """Words of a sample, of which each row has the first `lengths`."""

    words: AnyArray
    lengths: I64


def encode(
    flows: FlowBatch,
    *,
    agent: str,
    sub_agent: int = 0,
    sampling_rate: int = 1,
    flows_per_datagram: int = 7,
    gateway: bool = False,
    local_as: int = 0,
    first_sample: int = 1,
) -> Datagrams:
    """Encode one flow sample per flow; sequence number and uptime of the datagrams are left to be stamped.

    Parameters
    ----------
    flows : FlowBatch
        The packet of a sample has ``Bytes / Packets`` bytes.
    agent : str
        Agent address.
    gateway : bool
        Also write the extended gateway record (AS numbers, path, communities).
    local_as : int
        The router's own AS in that record.
    first_sample : int
        Sequence number of the first sample.
    """
    rows = flows.rows
    headers, header_length, frame_length = sampled_headers(flows)
    optional = _gateway(flows, local_as) if gateway else []
    fixed = [*_switch(flows), *_router(flows)]
    raw = [*_raw(header_length, frame_length), _Part(headers.view(">u4"), (header_length + 3) // 4)]
    body = [*fixed, *optional, *raw]
    size = _words(body)
    start = [*_datagram_headers(rows, flows_per_datagram, agent, sub_agent)]
    sample = _sample(flows, size, sampling_rate, first_sample, records=4 if gateway else 3)
    parts = [*start, sample, *body]
    words = np.concatenate([part.words for part in parts], axis=1)
    mask = np.concatenate([_mask(part) for part in parts], axis=1)
    # Concatenation gave native words: put them back into network order.
    packed = words[mask].astype(">u4")
    arena = np.zeros(packed.nbytes + ARENA_PADDING, np.uint8)
    arena[: packed.nbytes] = packed.view(np.uint8)
    row_bytes = _words(parts) * 4
    firsts = np.arange(0, rows, flows_per_datagram, dtype=np.int64)
    lengths = np.add.reduceat(row_bytes, firsts)
    stop = np.cumsum(lengths)
    count = np.minimum(flows_per_datagram, rows - firsts)
    return Datagrams(arena, stop - lengths, stop, count, count)


def sample_offsets(datagrams: Datagrams) -> I64:
    """Byte offset in the arena of each flow sample (loops over the position in the datagram)."""
    words = datagrams.words()
    offsets = np.zeros((len(datagrams), int(datagrams.flows.max(initial=0))), np.int64)
    cursor = datagrams.start + np.where(words[datagrams.start + 4] == 1, 28, 40)
    for position in range(offsets.shape[1]):
        offsets[:, position] = cursor
        # The cursor of a datagram that has no more samples stays on its last one.
        step = words[np.minimum(cursor, datagrams.stop - 8) + 4].astype(np.int64) + 8
        cursor = np.where(position + 1 < datagrams.flows, cursor + step, cursor)
    flat: I64 = offsets[np.arange(offsets.shape[1])[None, :] < datagrams.flows[:, None]]
    return flat


def _words(parts: list[_Part]) -> I64:
    total: I64 = np.sum([part.lengths for part in parts], axis=0, dtype=np.int64)
    return total


def _mask(part: _Part) -> Bool:
    mask: Bool = np.arange(part.words.shape[1])[None, :] < part.lengths[:, None]
    return mask


def _columns(rows: int, *values: AnyArray | int) -> AnyArray:
    words = np.zeros((rows, len(values)), ">u4")
    for index, value in enumerate(values):
        words[:, index] = value
    return words


def _whole(words: AnyArray) -> _Part:
    return _Part(words, np.full(len(words), words.shape[1], np.int64))


def _datagram_headers(rows: int, flows_per_datagram: int, agent: str, sub_agent: int) -> list[_Part]:
    """Header words in front of the first sample of each datagram."""
    packed = address_bytes(agent)
    mapped = is_mapped(packed)
    address = np.frombuffer(packed[12:] if mapped else packed, ">u4")
    index = np.arange(rows)
    count = np.minimum(flows_per_datagram, rows - index)
    words = _columns(rows, 5, 1 if mapped else 2, *(int(word) for word in address), sub_agent, 0, 0, count)
    lengths = np.where(index % flows_per_datagram == 0, words.shape[1], 0)
    return [_Part(words, lengths)]


def _sample(flows: FlowBatch, body_words: I64, rate: int, first: int, *, records: int) -> _Part:
    rows = flows.rows
    sequence = np.arange(first, first + rows, dtype=np.int64) & 0xFFFFFFFF
    pool = (np.arange(first, first + rows, dtype=np.int64) * rate) & 0xFFFFFFFF
    in_if = numbers(flows, "InIf")
    length = (body_words + 8) * 4
    return _whole(
        _columns(
            rows, _FLOW_SAMPLE, length, sequence, WHOLE_DEVICE, rate, pool, 0, in_if, numbers(flows, "OutIf"), records,
        )
    )  # fmt: skip


def _raw(header_length: I64, frame_length: I64) -> list[_Part]:
    padded = (header_length + 3) // 4 * 4
    rows = len(header_length)
    return [_whole(_columns(rows, _RAW_HEADER, 16 + padded, _ETHERNET, frame_length, _FCS, header_length))]


def _switch(flows: FlowBatch) -> list[_Part]:
    vlans = numbers(flows, "SrcVlan"), numbers(flows, "DstVlan")
    return [_whole(_columns(flows.rows, _SWITCH, 16, vlans[0], 0, vlans[1], 0))]


def _router(flows: FlowBatch) -> list[_Part]:
    masks = numbers(flows, "SrcNetMask"), numbers(flows, "DstNetMask")
    return [_whole(_columns(flows.rows, _ROUTER, 16, 1, ipv4_words(flows, "NextHop"), *masks))]


def _gateway(flows: FlowBatch, local_as: int) -> list[_Part]:
    rows = flows.rows
    path, path_length = _lists(flows, "DstASPath")
    communities, communities_length = _lists(flows, "DstCommunities")
    # Type of address, next hop, own AS, source AS, peer AS, segments; then a segment unless the path is empty.
    segments = (path_length > 0).astype(np.int64)
    size = (6 + 2 * segments + path_length + 1 + communities_length + 1) * 4
    next_hop = ipv4_words(flows, "BGPNextHop")
    source_as = numbers(flows, "SrcAS")
    head = _columns(
        rows, _GATEWAY, size, 1, next_hop, local_as, source_as, source_as, segments, _AS_SEQUENCE, path_length
    )
    return [
        _Part(head, 8 + 2 * segments),
        _Part(path, path_length),
        _whole(_columns(rows, communities_length)),
        _Part(communities, communities_length),
        _whole(_columns(rows, 100)),
    ]


def _lists(flows: FlowBatch, name: str) -> tuple[AnyArray, I64]:
    """A column of lists as a rectangle of words and the length of each row."""
    values = flows.columns.get(name)
    if not isinstance(values, Lists):
        return np.zeros((flows.rows, 0), ">u4"), np.zeros(flows.rows, np.int64)
    lengths = np.diff(values.offsets).astype(np.int64)
    width = int(lengths.max(initial=0))
    words = np.zeros((flows.rows, width), ">u4")
    words[np.arange(width)[None, :] < lengths[:, None]] = values.values[values.offsets[0] : values.offsets[-1]]
    return words, lengths
