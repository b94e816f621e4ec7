"""Encode flows as NetFlow v9 (RFC 3954) and IPFIX (RFC 7011) messages."""

from __future__ import annotations

import struct
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, Literal

import numpy as np

from millrace.batch import FlowBatch
from millrace.generate.datagrams import Datagrams, from_blocks, from_payloads, join
from millrace.generate.templates import Template

Protocol = Literal["netflow-v9", "ipfix"]

HEADER_V9 = np.dtype(
    [("version", ">u2"), ("count", ">u2"), ("uptime", ">u4"), ("secs", ">u4"), ("sequence", ">u4"), ("domain", ">u4")]
)
HEADER_IPFIX = np.dtype(
    [("version", ">u2"), ("length", ">u2"), ("secs", ">u4"), ("sequence", ">u4"), ("domain", ">u4")]
)
_SET = np.dtype([("id", ">u2"), ("length", ">u2")])

OPTIONS_TEMPLATE = 258
"""Template that announces the sampling rate."""

RANDOM_SAMPLING = {"netflow-v9": 2, "ipfix": 3}
"""Random sampling as element 35 (samplingAlgorithm) and as 304 (selectorAlgorithm, n-out-of-N) write it."""


@lru_cache(maxsize=256)
def message_dtype(protocol: Protocol, template: Template, count: int) -> np.dtype[Any]:
    """Structured dtype of a message with one data set of `count` records, padded to four bytes."""
    size = template.dtype.itemsize * count
    header = HEADER_V9 if protocol == "netflow-v9" else HEADER_IPFIX
    return np.dtype(
        [("header", header), ("set", _SET), ("records", template.dtype, (count,)), ("padding", "u1", (-size % 4,))]
    )


def encode(
    flows: FlowBatch,
    protocol: Protocol,
    template: Template,
    *,
    boot_ms: int,
    flows_per_datagram: int,
    domain: int = 0,
) -> Datagrams:
    """Encode flows as data sets of one template; sequence and times of the headers are left to be stamped.

    Parameters
    ----------
    flows : FlowBatch
        All IPv4 or all IPv6, as the template is.
    boot_ms : int
        Unix milliseconds at which the exporter's uptime was zero.
    """
    rows = template.records(flows, boot_ms)
    whole = len(rows) // flows_per_datagram * flows_per_datagram
    parts = []
    for part, count in ((rows[:whole], flows_per_datagram), (rows[whole:], len(rows) - whole)):
        if not len(part):
            continue
        layout = message_dtype(protocol, template, count)
        blocks = np.zeros(len(part) // count, layout)
        header = blocks["header"]
        header["version"] = 9 if protocol == "netflow-v9" else 10
        header["domain"] = domain
        if protocol == "netflow-v9":
            header["count"] = count
        else:
            header["length"] = layout.itemsize
        blocks["set"]["id"] = template.id
        blocks["set"]["length"] = layout.itemsize - header.dtype.itemsize
        blocks["records"] = part.reshape(-1, count)
        parts.append(from_blocks(blocks, count))
    return join(parts)


@dataclass(frozen=True, slots=True)
class Sampling:
    """What an exporter says of its sampler: 1 in `rate`, at random, as selector `selector`."""

    rate: int
    selector: int = 1


def announce(
    protocol: Protocol, templates: tuple[Template, ...], *, domain: int = 0, sampling: Sampling | None = None
) -> Datagrams:
    """One message with the templates and, with `sampling`, its options template and data.

    NetFlow v9 announces 34 (samplingInterval) and 35 (samplingAlgorithm) with
    the system as scope; IPFIX announces random n-out-of-N sampling (304, 309,
    310; RFC 5477) with the selector (302) as scope.
    """
    sets = [_set(0 if protocol == "netflow-v9" else 2, b"".join(_template(template) for template in templates))]
    records = len(templates)
    if sampling is not None:
        sets += _sampling_sets(protocol, sampling)
        records += 2
    body = b"".join(sets)
    if protocol == "netflow-v9":
        payload = struct.pack("!HHIIII", 9, records, 0, 0, 0, domain) + body
    else:
        payload = struct.pack("!HHIII", 10, 16 + len(body), 0, 0, domain) + body
    return from_payloads([payload], [int(sampling is not None)])


def _sampling_sets(protocol: Protocol, sampling: Sampling) -> list[bytes]:
    algorithm = RANDOM_SAMPLING[protocol]
    if protocol == "netflow-v9":
        # Template id, bytes of scope fields, bytes of option fields (RFC 3954 §6.1).
        options = struct.pack("!HHH", OPTIONS_TEMPLATE, 4, 8) + struct.pack("!6H", 1, 4, 34, 4, 35, 1)
        return [_set(1, options), _set(OPTIONS_TEMPLATE, struct.pack("!IIB", 0, sampling.rate, algorithm))]
    # Template id, number of fields, number of scope fields (RFC 7011 §3.4.2.2).
    options = struct.pack("!HHH", OPTIONS_TEMPLATE, 4, 1) + struct.pack("!8H", 302, 1, 304, 2, 309, 4, 310, 4)
    data = struct.pack("!BHII", sampling.selector, algorithm, 1, sampling.rate)
    return [_set(3, options), _set(OPTIONS_TEMPLATE, data)]


def _template(template: Template) -> bytes:
    fields = b"".join(struct.pack("!HH", field.element, field.length) for field in template.fields)
    return struct.pack("!HH", template.id, len(template.fields)) + fields


def _set(set_id: int, body: bytes) -> bytes:
    padded = body + bytes(-len(body) % 4)
    return struct.pack("!HH", set_id, 4 + len(padded)) + padded
