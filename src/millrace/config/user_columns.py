"""Columns that the user adds: an information element or a bit range of sampled headers."""

from __future__ import annotations

from typing import Literal

from pydantic import Field, model_validator

from millrace.config.section import Section
from millrace.schema import Column, ElementRef, HeaderBits, Kind, Schema


class ElementSource(Section):
    """An information element of NetFlow v9 or IPFIX."""

    id: int = Field(ge=1, le=32767)
    """Number of the element, enterprise bit removed."""

    enterprise: int = Field(default=0, ge=0, le=2**32 - 1)
    """Private enterprise number; 0 for IANA's elements."""


class HeaderSource(Section):
    """A bit range of a sampled packet header."""

    layer: Literal["ethernet", "ipv4", "ipv6", "tcp", "udp", "icmp"]
    """Header from whose first bit the range is counted; the outermost of its kind."""

    offset: int = Field(ge=0, le=8 * 256)
    """First bit."""

    length: int = Field(ge=1, le=64)
    """Number of bits."""


class UserColumn(Section):
    """A column of your own."""

    name: str = Field(pattern=r"^[A-Z][A-Za-z0-9]{1,63}$")
    """CamelCase name; must not be one of the built-in columns."""

    type: Literal["u8", "u16", "u32", "u64", "address", "mac", "text"] = "u32"
    """Type of its values."""

    title: str = ""
    """Short label; the name when empty."""

    description: str = ""
    """A sentence for the reference."""

    element: ElementSource | None = None
    """Information element that fills it."""

    header: HeaderSource | None = None
    """Bit range of sampled headers that fills it (numbers only)."""

    @model_validator(mode="after")
    def _one_source(self) -> UserColumn:
        if (self.element is None) == (self.header is None):
            raise ValueError(f"column {self.name!r} needs either 'element' or 'header'")
        if self.header is not None and self.type in ("address", "text"):
            raise ValueError(f"column {self.name!r}: a bit range is a number; use type u8, u16, u32, u64 or mac")
        return self

    def column(self) -> Column:
        """The row of the table of columns."""
        return Column(
            self.name,
            Kind(self.type),
            self.title or self.name,
            self.description or "A column of the configuration.",
            "Own columns",
            elements=(ElementRef(self.element.id, self.element.enterprise),) if self.element else (),
            header=HeaderBits(self.header.layer, self.header.offset, self.header.length) if self.header else None,
            display={"address": "address", "mac": "mac", "text": "text"}.get(self.type, "number"),  # type: ignore[arg-type]
        )


class SchemaSettings(Section):
    """The table of columns."""

    columns: tuple[UserColumn, ...] = Field(default=(), max_length=64)
    """Columns of your own, stored after the built-in ones."""

    def schema_of(self) -> Schema:
        """The built-in columns and these."""
        return Schema(column.column() for column in self.columns)
