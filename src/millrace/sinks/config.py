"""Settings of sinks."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal, TypeAlias

from pydantic import Field, field_validator

from millrace.config import Section

WhenFull = Literal["drop", "wait"]
"""What happens to flows that come while the queue of a sink is full."""

FileFormat = Literal["jsonl", "parquet"]
"""JSON lines, Apache Parquet."""


class SinkSettings(Section):
    """What every kind of sink has: which flows it gets, and how they wait for it."""

    columns: tuple[str, ...] = ()
    """Columns to write, in this order; empty: all."""

    filter: str = ""
    """Which flows, in the filter language; empty: all."""

    when_full: WhenFull = "drop"
    """What happens to flows that come while the queue is full: `drop` loses them to this sink and counts them, `wait`
    has decoding wait, and with it everything else, as it waits for the store."""

    queue_mib: int = Field(default=128, ge=1, le=16_384)
    """Bound of flows that wait for the sink or are being written."""

    @field_validator("columns")
    @classmethod
    def _once_each(cls, columns: tuple[str, ...]) -> tuple[str, ...]:
        twice = next((name for name in columns if columns.count(name) > 1), None)
        if twice is not None:
            raise ValueError(f"column {twice!r} is named twice")
        return columns


class FileSinkSettings(SinkSettings):
    """Flows are written to files beside the store. The name of the sink begins the names of the files."""

    kind: Literal["file"]
    """Where flows go."""

    format: FileFormat
    """JSON lines or Apache Parquet."""

    folder: Path
    """Folder of the files; made if it is missing. Not the data folder."""

    rotate_mib: int = Field(default=256, ge=1, le=1_048_576)
    """A file that has reached this size is finished, and another one begins."""

    rotate_seconds: int = Field(default=300, ge=1, le=86_400)
    """A file that is this old is finished, and another one begins with the next flow."""


AnySinkSettings: TypeAlias = FileSinkSettings
"""Of each kind of sink, told apart by `kind`."""

SinkName: TypeAlias = Annotated[str, Field(pattern=r"^[a-z][a-z0-9-]{0,31}$")]
"""It is part of file names and a label of metrics."""

SinksSettings: TypeAlias = dict[SinkName, AnySinkSettings]
"""Sinks by name: the type of the key `sinks` of the configuration file."""
