"""Capture files to tables: the library's `millrace.read`."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator
from pathlib import Path

import pyarrow as pa

from millrace.batch import FlowBatch
from millrace.decode import Counts, Decoder, Limits
from millrace.formats import readable
from millrace.receive import read_capture
from millrace.schema import Schema


def read_batches(
    paths: Iterable[Path], schema: Schema, counts: Counts | None = None, *, ordered: bool = True
) -> Iterator[FlowBatch]:
    """Decode capture files one after the other, with one memory of templates.

    Parameters
    ----------
    paths : iterable of Path
        Files as `millrace.receive.read_capture` takes them.
    schema : Schema
    counts : Counts, optional
        What happened is added to it.
    ordered : bool
        Give flows in the order of their datagrams.

    Raises
    ------
    SourceError
        If a file cannot be read.
    """
    # Nobody waits meanwhile, so there is time for every layout.
    decoder = Decoder(schema, Limits(layout_share=math.inf))
    for path in paths:
        for batch in read_capture(path):
            decoded = decoder.decode(batch)
            if counts is not None:
                counts.add(decoded.counts)
            yield decoded.flows.ordered() if ordered else decoded.flows


def read(*paths: str | Path, columns: Iterable[str] | None = None, text: bool = False) -> pa.Table:
    """Decode capture files into one table, a row per flow.

    Parameters
    ----------
    *paths : str or Path
        pcap, pcapng, raw payloads, IPFIX message streams, hex dumps; also
        gzip'ed. Templates of an earlier file serve the later ones.
    columns : iterable of str, optional
        Which columns to keep; by default those that at least one flow fills.
    text : bool
        Give addresses and MAC addresses as text in place of bytes and numbers.

    Returns
    -------
    pyarrow.Table
        Unknown values are null. ``.to_pandas()``, ``polars.from_arrow`` and
        DuckDB take it as it is.

    Raises
    ------
    SourceError
        If a file cannot be read.
    SchemaError
        If a named column does not exist.

    Examples
    --------
    >>> import millrace
    >>> table = millrace.read("capture.pcap", text=True)  # doctest: +SKIP
    >>> table.group_by("SrcAS").aggregate([("Bytes", "sum")])  # doctest: +SKIP
    """
    schema = Schema()
    wanted = None if columns is None else [schema[name].name for name in columns]
    flows = FlowBatch.concat(list(read_batches(map(Path, paths), schema)), schema)
    table = flows.to_arrow(schema, missing=wanted is not None)
    if wanted is not None:
        table = table.select(wanted)
    return readable(table, schema) if text else table
