"""Write the API's OpenAPI document for the console's client (`frontend/openapi.json`), or check that it is fresh."""

from __future__ import annotations

import json
import sys
from pathlib import Path

from millrace.access import Access, AccessSettings
from millrace.api import ApiSettings, Services, create_app
from millrace.api.gate import Gate
from millrace.pipeline import LiveHub
from millrace.query import QueryEngine
from millrace.schema import Schema
from millrace.state import State, StateSettings
from millrace.telemetry import Health, Metrics

TARGET = Path(__file__).resolve().parent.parent / "frontend/openapi.json"


class _NoStore:
    """Stands where a store would: the document depends on the routes alone."""

    def query(self, *_: object, **__: object) -> object:
        raise RuntimeError("nothing is asked to write the document")


def document() -> str:
    """The document as text, the same for the same routes."""
    schema = Schema()
    services = Services(
        schema=schema,
        query=QueryEngine(_NoStore(), schema, list),
        exporters=list,
        rates=dict,
        metrics=Metrics(),
        health=Health(),
        live=LiveHub(),
        store=dict,
        status=dict,
        authenticator=Gate(Access(AccessSettings(), State(StateSettings(), Path()), lambda *_: None)),
        # The version of the package would make every release change the file.
        version="1",
    )
    return json.dumps(create_app(services, ApiSettings()).openapi(), indent=1, sort_keys=True) + "\n"


def main() -> int:
    """Write, or compare with ``--check``."""
    text = document()
    if "--check" in sys.argv[1:]:
        if TARGET.read_text(encoding="utf-8") == text:
            return 0
        print("frontend/openapi.json is not what the API says; run: make console")
        return 1
    TARGET.write_text(text, encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
