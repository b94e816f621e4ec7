"""MPLS label stacks and what lies under them."""

from __future__ import annotations

import numpy as np

from millrace.batch.arrays import I64, U8, Bool
from millrace.decode.packet.ethernet import announces_payload
from millrace.decode.packet.frames import Frames, Front
from millrace.decode.packet.layers import Layer
from millrace.decode.packet.sheet import ragged

MAX_LABELS = 16
"""Labels read of one stack; the frame is given up where the bottom lies deeper."""

_ENTRY = np.dtype([("word", ">u4")])
_PAYLOAD = np.dtype({"names": ["first", "type", "type_after_word"], "formats": ["u1", ">u2", ">u2"],
                     "offsets": [0, 12, 16], "itemsize": 18})  # fmt: skip
"""First byte, and where an EtherType would be without and with a control word."""


def mpls(frames: Frames, front: Front) -> None:
    """Read a label stack (RFC 3032 §2.1)::

        0                   1                   2                   3
        0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1
        |                Label                  | TC  |S|      TTL      |

    The labels told are those of the outermost stack, explicit nulls included.
    """  # noqa: D400 — the diagram ends the paragraph
    rows: list[I64] = []
    labels: list[I64] = []
    bottoms: list[Front] = []
    outermost = frames.outside(front)
    if (told := frames.sheet.lists("MPLSLabels")) is not None:
        outermost &= ~told[1][front.rows]
    for _ in range(MAX_LABELS):
        shown = frames.room(front) >= 4
        front, outermost = front.pick(shown), outermost[shown]
        if not len(front):
            break
        word = frames.read(front, _ENTRY)["word"].astype(np.int64)
        rows.append(front.rows[outermost])
        labels.append(word[outermost] >> 12)
        front = front.move(4)
        bottom = (word & 0x100) != 0
        bottoms.append(front.pick(bottom))
        front, outermost = front.pick(~bottom), outermost[~bottom]
    _tell_labels(frames, rows, labels)
    for below in bottoms:
        _guess_payload(frames, below)


def _tell_labels(frames: Frames, rows: list[I64], labels: list[I64]) -> None:
    owner = np.concatenate([*rows, np.zeros(0, np.int64)])
    if not len(owner):
        return
    values = np.concatenate(labels)
    known = np.zeros(frames.sheet.rows, np.bool_)
    known[owner] = True
    if (told := frames.sheet.lists("MPLSLabels")) is not None:
        lists, before = told
        first = np.repeat(np.arange(frames.sheet.rows), np.diff(lists.offsets))
        owner, values = np.concatenate([first, owner]), np.concatenate([lists.values.astype(np.int64), values])
        known |= before
    frames.sheet.put_lists("MPLSLabels", ragged(frames.sheet.rows, owner, np.ones(len(owner), np.int64), values), known)


def _guess_payload(frames: Frames, front: Front) -> None:
    """Guess what the stack carries: nothing in it says so (RFC 4928 §3).

    A first nibble of 4 or 6 is taken for IP. Otherwise it is Ethernet
    (RFC 4448) if a known EtherType stands where that has it: after a control
    word, which begins with a nibble of 0, or without one.
    """
    front = front.pick(frames.room(front) >= 1)
    if not len(front):
        return
    payload = frames.read(front, _PAYLOAD)
    room = frames.room(front)
    nibble = payload["first"] >> 4
    layers: U8 = np.zeros(len(front), np.uint8)
    layers[nibble == 4] = Layer.IPV4
    layers[nibble == 6] = Layer.IPV6
    is_ip: Bool = layers != Layer.NONE
    bare = ~is_ip & (room >= 14) & (announces_payload(payload["type"].astype(np.uint16)) != Layer.NONE)
    worded = (nibble == 0) & (room >= 18) & (announces_payload(payload["type_after_word"].astype(np.uint16)) != 0)
    layers[bare | worded] = Layer.INNER_ETHERNET
    frames.count_link(front)
    frames.send(layers, front.move(np.where(worded, 4, 0)))
