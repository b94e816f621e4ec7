"""The built web console: files that a browser loads.

They are built from ``frontend/`` by ``make console`` and kept here, so that a
user needs no Node. The HTTP interface serves them (`millrace.api.console`).
"""

from __future__ import annotations

from importlib.resources import files
from importlib.resources.abc import Traversable

DIST: Traversable = files(__name__) / "dist"
"""The built files: ``index.html``, ``assets/…`` (named by their content), ``source.sha256`` (what they are made of)."""

__all__ = ["DIST"]
