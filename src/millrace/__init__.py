"""Millrace: collect NetFlow, IPFIX and sFlow, store every flow as columns, ask anything.

`read` turns capture files into a table; the `millrace` command does the rest.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from millrace.app.reading import read

__version__ = "0.1.0"

__all__ = ["__version__", "read"]


def __getattr__(name: str) -> object:
    # Loaded on first use: `import millrace.errors` must not cost the import of all that reads files.
    if name == "read":
        from millrace.app.reading import read

        return read
    raise AttributeError(f"module 'millrace' has no attribute {name!r}")
