"""How long a sampled packet was: which of its frame length and its IP header to believe.

A switch may forward packets whose IP header says more than there is; then the
frame length is right. Some devices give as frame length what they captured;
then the IP header is right. The devices give themselves away: the frame length
says that nothing was cut off, and yet as many bytes were captured as the agent
ever captures; or it is less than an IP packet that was captured whole.
"""

from __future__ import annotations

import numpy as np

from millrace.batch.arrays import I64, AnyArray, Bool
from millrace.decode.packet import Dissection

USUAL_CAPTURE = 128
"""Bytes of a packet that agents capture unless they are configured otherwise (sFlow v5 page 13)."""


def packet_bytes(dissection: Dissection, head: AnyArray, captured: I64, largest: I64) -> tuple[I64, Bool, Bool]:
    """Layer-3 bytes of sampled packets.

    The length that the outermost IP header tells, if the frame is long enough
    for it or its length is only what was captured, or less; otherwise what the
    frame has after its link header, without the bytes that the agent says it
    stripped.

    Parameters
    ----------
    dissection : Dissection
        Of n headers.
    head : structured ndarray, shape (n,)
        With `frame_bytes` and `stripped`.
    captured : ndarray of int64, shape (n,)
        Bytes of each packet in the record.
    largest : ndarray of int64, shape (n,)
        Most bytes that the agent ever captured of a packet, this one included.

    Returns
    -------
    bytes : ndarray of int64, shape (n,)
    known : ndarray of bool, shape (n,)
    short : ndarray of bool, shape (n,)
        Whose frame length is only what was captured, give or take what was stripped, or less than the IP packet
        that was captured.
    """
    frame = head["frame_bytes"].astype(np.int64)
    room = frame - dissection.link_bytes
    told = dissection.l3_bytes
    fits = (told >= 0) & (told <= room)
    if not fits.all():
        fits |= (told >= 0) & (frame == 0)
    if fits.all():
        return told, fits, ~fits
    known = fits | (frame > 0)
    stripped = head["stripped"].astype(np.int64)
    uncut = np.abs(frame - captured) <= stripped
    full = captured >= np.maximum(largest, USUAL_CAPTURE)
    short = ~fits & (told >= 0) & ((uncut & full) | (told <= captured - dissection.link_bytes))
    return np.where(fits | short, told, np.maximum(room - stripped, 0)), known, short
