"""Words out of closed sets, as answers use them.

The document of the API lists them, so that whoever shows answers can know them all. They are declared where they are
decided; here is only how the document names them.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Annotated, get_args

from pydantic import WithJsonSchema

from millrace.decode import SAMPLING_BINDINGS
from millrace.schema import FLOW_PROTOCOLS, SAMPLING_SOURCES, Schema
from millrace.schema.column import Display, Kind


def _one_of(words: Iterable[str]) -> WithJsonSchema:
    return WithJsonSchema({"type": "string", "enum": list(words)})


_UNSAID = {"unknown", "configured"}
"""What an exporter cannot have told."""

ProtocolName = Annotated[str, _one_of(name for name in FLOW_PROTOCOLS if name not in _UNSAID)]
SamplingBinding = Annotated[str, _one_of(SAMPLING_BINDINGS)]
SamplingSource = Annotated[str, _one_of(name for name in SAMPLING_SOURCES if name not in _UNSAID)]
Boundary = Annotated[str, _one_of(Schema()["InIfBoundary"].values)]
ColumnKind = Annotated[str, _one_of(kind.value for kind in Kind)]
ColumnDisplay = Annotated[str, _one_of(get_args(Display))]
