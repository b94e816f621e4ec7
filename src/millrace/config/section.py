"""Base of every settings model."""

from __future__ import annotations

from pydantic import BaseModel, ConfigDict


class Section(BaseModel):
    """A part of the configuration file.

    Each component owns one: default, unit, bounds and a sentence (the
    docstring under the field) stand at the field, and the reference page and
    the JSON Schema are made from it.
    """

    model_config = ConfigDict(extra="forbid", frozen=True, use_attribute_docstrings=True)
