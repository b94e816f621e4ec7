"""Flows as the rows of a file."""

from __future__ import annotations

import numpy as np
import pyarrow as pa

from millrace.batch import FlowBatch
from millrace.formats import readable
from millrace.schema import Kind, Schema


class FlowTables:
    """Makes tables that all have one schema.

    Addresses and MAC addresses are texts, times are timestamps in UTC, names of
    enumerations are texts, and what is unknown is null: as `millrace decode`
    writes them.

    Parameters
    ----------
    schema : Schema
        The columns of the file, in its order.

    Attributes
    ----------
    arrow : pyarrow.Schema
        Of every table.
    """

    def __init__(self, schema: Schema) -> None:
        self._schema = schema
        self.arrow: pa.Schema = readable(FlowBatch(0).to_arrow(schema), schema).schema

    def of(self, flows: FlowBatch) -> pa.Table:
        """Table of a batch; columns that the file does not have are left out."""
        return readable(self._named(flows).to_arrow(self._schema), self._schema)

    def _named(self, flows: FlowBatch) -> FlowBatch:
        """The same without codes of enumerations that have no name: as in the store, they are the first one."""
        wrong = {
            column.name: np.where(codes < len(column.values), codes, 0)
            for column in self._schema
            if column.kind is Kind.ENUM
            and isinstance(codes := flows.columns.get(column.name), np.ndarray)
            and len(codes)
            and int(codes.max()) >= len(column.values)
        }
        if not wrong:
            return flows
        return FlowBatch(flows.rows, {**flows.columns, **wrong}, flows.valid, flows.datagram)
