"""Counter samples: generic interface counters."""

from __future__ import annotations

import numpy as np

from millrace.batch import FlowBatch
from millrace.batch.arrays import AnyArray
from millrace.decode.sflow.records import Records

GENERIC = 1
"""Format of the generic interface counters (sFlow v5 page 41)."""

UNUSED = frozenset((*range(2, 100), *range(1001, 1021), *range(2000, 2300), *range(3000, 3010)))
"""Counters of Ethernet, VLANs, processors, hosts, applications, optics: known, not interface counters of the table."""

_COLUMNS = (
    ("IfIndex", ">u4"), ("IfType", ">u4"), ("IfSpeed", ">u8"), ("IfDirection", ">u4"), ("IfStatus", ">u4"),
    ("InOctets", ">u8"), ("InUcastPkts", ">u4"), ("InMulticastPkts", ">u4"), ("InBroadcastPkts", ">u4"),
    ("InDiscards", ">u4"), ("InErrors", ">u4"), ("InUnknownProtos", ">u4"), ("OutOctets", ">u8"),
    ("OutUcastPkts", ">u4"), ("OutMulticastPkts", ">u4"), ("OutBroadcastPkts", ">u4"), ("OutDiscards", ">u4"),
    ("OutErrors", ">u4"), ("PromiscuousMode", ">u4"),
)  # fmt: skip
_STRUCTURE = np.dtype(list(_COLUMNS))
GENERIC_BYTES = _STRUCTURE.itemsize
_NARROW = {"IfDirection": np.uint8, "IfStatus": np.uint8, "PromiscuousMode": np.uint8,
           "IfIndex": np.uint32, "IfType": np.uint32}  # fmt: skip
_COUNTED = frozenset(name for name, _ in _COLUMNS if name.startswith(("In", "Out")))


def read_interface_counters(records: Records) -> FlowBatch:
    """Read generic interface counters, in the order of the structure.

    A counter of all ones is one that the agent does not keep (sFlow v5 page
    41): unknown. The other columns of the table are the caller's.
    """
    structure = records.read(_STRUCTURE)
    batch = FlowBatch(len(records))
    for name, wire in _COLUMNS:
        values: AnyArray = structure[name]
        known = values != np.iinfo(np.dtype(wire).newbyteorder("=")).max if name in _COUNTED else None
        narrow = _NARROW.get(name, np.uint64)
        whole = values.astype(narrow) if narrow is not np.uint8 else np.minimum(values, 255).astype(np.uint8)
        batch.put(name, whole, None if known is None or known.all() else known)
    return batch
