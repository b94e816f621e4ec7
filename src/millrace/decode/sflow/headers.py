"""Datagram headers: version, agent, sub-agent, sequence."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from millrace.batch import DatagramBatch
from millrace.batch.arrays import I64, U8, Bool
from millrace.decode.packet.cursor import look_ahead
from millrace.decode.packet.sheet import ADDRESS
from millrace.decode.sflow.fields import Addresses, read_addresses, read_words

_REST = np.dtype([("sub_agent", ">u4"), ("sequence", ">u4"), ("uptime", ">u4"), ("samples", ">u4")])
_USUAL_BYTES = 12 + _REST.itemsize
"""Of the header of an agent that has an IPv4 address."""


@dataclass(frozen=True, slots=True)
class Headers:
    """Headers of the datagrams that have a whole one.

    Attributes
    ----------
    row : ndarray of int64, shape (n,)
        Row of the batch.
    agent : ndarray of uint8, shape (n, 16)
        Address of the agent; the sender's where the agent names none.
    sub_agent, sequence, uptime_ms, samples : ndarray of int64, shape (n,)
    at, stop : ndarray of int64, shape (n,)
        What follows the header.
    """

    row: I64
    agent: U8
    sub_agent: I64
    sequence: I64
    uptime_ms: I64
    samples: I64
    at: I64
    stop: I64


def read_headers(batch: DatagramBatch, which: I64) -> tuple[Headers, dict[str, I64]]:
    """Read the headers of datagrams (sFlow v5 page 40).

    ::

        version = 5 | address type | agent address (0, 4 or 16 bytes)
        sub-agent | sequence number | uptime in ms | number of samples

    Parameters
    ----------
    batch : DatagramBatch
    which : ndarray of int64, shape (k,)
        Rows to read.

    Returns
    -------
    headers : Headers
    unreadable : dict of str to ndarray of int64
        By reason, the rows that have no usable header.
    """
    start, stop = batch.start[which], batch.stop[which]
    cursor = look_ahead(batch.arena, start, _USUAL_BYTES)
    version, shown = read_words(cursor, stop)
    agent = read_addresses(cursor.move(4), stop)
    rest = agent.after
    five = shown & (version == 5)
    told = five & (start + 8 <= stop)
    after = rest.move(_REST.itemsize)
    whole = told & agent.sane & (after.at <= stop)
    unreadable: dict[str, I64] = {}
    if not whole.all():
        # How much must follow depends on the type of the address: an unknown one is told apart from a short datagram.
        odd = told & (agent.kind > 2)
        unreadable = {
            "bad-version": which[shown & ~five],
            "bad-address-type": which[odd],
            "truncated": which[~shown | (five & ~whole & ~odd)],
        }
        index = np.flatnonzero(whole)
        which, stop, rest, after = which[index], stop[index], rest.take(index), after.take(index)
    tail = rest.read(_REST)
    headers = Headers(
        which,
        _agents(agent, whole, batch.source, which),
        tail["sub_agent"].astype(np.int64),
        tail["sequence"].astype(np.int64),
        tail["uptime"].astype(np.int64),
        tail["samples"].astype(np.int64),
        after.at,
        stop,
    )
    return headers, unreadable


def _agents(agent: Addresses, whole: Bool, source: U8, which: I64) -> U8:
    """Addresses of the agents whose header is whole, rows `which`; the sender's where none is named."""
    agents, unnamed = agent.values, ~agent.known
    if not whole.all():
        agents, unnamed = agents[whole], unnamed[whole]
    if unnamed.any():
        agents[unnamed] = np.ascontiguousarray(source[which[unnamed]]).view(ADDRESS).reshape(-1)
    return agents.view(np.uint8).reshape(-1, 16)
