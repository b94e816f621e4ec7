"""Dissecting one frame, as a dict of what is known of it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from millrace.batch import ARENA_PADDING, Lists, address_text
from millrace.decode.packet import Dissection, dissect
from millrace.decode.packet.cursor import Cursor
from millrace.schema import TUNNEL_TYPES, Kind, Schema

SCHEMA = Schema()


def show(dissection: Dissection, row: int, schema: Schema = SCHEMA) -> dict[str, Any]:
    """Known columns of a row, addresses as text, tunnels by name."""
    shown: dict[str, Any] = {}
    for name, values in dissection.flows.columns.items():
        valid = dissection.flows.valid.get(name)
        if valid is not None and not valid[row]:
            continue
        if isinstance(values, Lists):
            shown[name] = values.values[values.offsets[row] : values.offsets[row + 1]].tolist()
        elif schema[name].kind is Kind.ADDRESS:
            shown[name] = address_text(values[row].tobytes())
        else:
            shown[name] = TUNNEL_TYPES[values[row]] if name == "TunnelType" else int(values[row])
    return shown


def dissect_all(frames: list[bytes], link: int = 1, schema: Schema = SCHEMA) -> Dissection:
    """Dissect frames that stand side by side in one arena, with rubbish after the last."""
    stop = np.cumsum([len(frame) for frame in frames], dtype=np.int64)
    start = stop - [len(frame) for frame in frames]
    arena = np.frombuffer(b"".join(frames) + b"\xee" * ARENA_PADDING, np.uint8)
    return dissect(schema, Cursor(arena, start), stop, np.full(len(frames), link, np.uint8))


@pytest.fixture
def look() -> Callable[..., dict[str, Any]]:
    """Dissect one frame: what is known of it, and lengths as `l3` and `link`."""

    def look(frame: bytes, *, link: int = 1, schema: Schema = SCHEMA) -> dict[str, Any]:
        dissection = dissect_all([frame], link, schema)
        return show(dissection, 0, schema) | {
            "l3": int(dissection.l3_bytes[0]),
            "link": int(dissection.link_bytes[0]),
        }

    return look


@pytest.fixture
def look_all() -> Callable[..., list[dict[str, Any]]]:
    """Dissect frames together; what is known of each."""

    def look_all(frames: list[bytes]) -> list[dict[str, Any]]:
        dissection = dissect_all(frames)
        return [show(dissection, row) for row in range(len(frames))]

    return look_all
