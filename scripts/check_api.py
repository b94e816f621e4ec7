"""Send requests made from the OpenAPI document to the API, and compare every response with the document.

Runs in this process over a small embedded store with some minutes of traffic. Each endpoint gets requests that fit the
document, and requests that do not; columns, filters and addresses are those that exist as often as not. No response may
be a server error, of an undocumented status or media type, or of another shape than the document says.

    .venv/bin/python scripts/check_api.py
    .venv/bin/python scripts/check_api.py --examples 200 --only /api/v1/flows
"""

from __future__ import annotations

import argparse
import copy
import sys
import tempfile
import time
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import schemathesis
from fastapi import FastAPI
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis.errors import Unsatisfiable
from schemathesis import GenerationMode
from schemathesis.checks import not_a_server_error
from schemathesis.schemas import APIOperation
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_schema_conformance,
    status_code_conformance,
)

from millrace.api import create_app
from millrace.app.application import Application
from millrace.app.settings import Settings
from millrace.generate import default_model, demo_as_names, demo_metadata, demo_networks, history
from millrace.telemetry import setup_logging

CHECKS = [not_a_server_error, status_code_conformance, content_type_conformance, response_schema_conformance]

BASE_URL = "http://127.0.0.1:8080"
"""Where the API would be; other host names are refused."""

ENDLESS = ("/api/v1/flows/live",)
"""Streams: their answers do not end."""

FILTERS = (
    "", "Proto = tcp", "InIfBoundary = external AND NOT SrcAS = AS64500", "DstPort IN (80, 443, 8000-8100)",
    "SrcAddr << 2001:db8::/32 OR Bytes > 10k", "SrcAsn = 1", "@nothing", "(", 'ExporterName LIKE "%" -- all',
    "SrcAS = DstAS", "TimeReceived > 2026-01-01", "DstCommunities = 64500:1",
)  # fmt: skip
COLUMNS = (
    "SrcAS", "DstAS", "SrcAddr", "DstPort", "Proto", "ExporterName", "InIfName", "EType", "TCPFlags", "DstCommunities",
    "MPLSLabels", "TimeReceived", "SrcMAC", "FlowDirection", "Bytes", "SrcAsn",
)  # fmt: skip
RANGES = (60, 600, 3600, 86_400, 30 * 86_400)


def guided(document: dict[str, Any]) -> dict[str, Any]:
    """The document with fields narrowed to what exists, so that requests get further than the first check."""
    document = copy.deepcopy(document)
    for name in _body_models(document):
        _narrow(document["components"]["schemas"][name].get("properties", {}))
    return document


def _body_models(document: dict[str, Any]) -> set[str]:
    """Names of the models of request bodies."""
    found = set()
    for methods in document["paths"].values():
        for operation in methods.values():
            body = operation.get("requestBody", {}).get("content", {}).get("application/json", {})
            found.add(body.get("schema", {}).get("$ref", "").rpartition("/")[2])
    return found - {""}


def _narrow(fields: dict[str, Any]) -> None:
    for name in ("dimensions", "down", "across", "columns"):
        items = fields.get(name, {})
        for place in (items, *items.get("anyOf", ())):
            if place.get("type") == "array":
                place["items"] = {"type": "string", "enum": list(COLUMNS)}
    for name, known in (("column", COLUMNS), ("filter", FILTERS), ("text", FILTERS)):
        if fields.get(name, {}).get("type") == "string":
            fields[name] = {"type": "string", "enum": list(known)}
    if "last_seconds" in fields:
        fields["last_seconds"] = {"type": "integer", "enum": list(RANGES)}
        del fields["start"], fields["end"]


@contextmanager
def application(folder: Path) -> Iterator[FastAPI]:
    """The API over a store with an hour of traffic."""
    model = default_model()
    about = {"exporters": demo_metadata(model), "networks": demo_networks(model), "as_names": demo_as_names(model)}
    about |= {"receive": {"listeners": ["127.0.0.1:0"]}, "api": {"port": 0}}
    made = Application(Settings.model_validate({"data": folder, **about}))
    now_ms = time.time_ns() // 1_000_000
    made.start()
    try:
        for batch in history(model, now_ms - 3_600_000, now_ms, 20_000):
            made.store.insert(made.enrich(batch))
        made.store.wait_until_rolled_up()
        yield create_app(made.services(), made.settings.api)
    finally:
        made.stop()


def check(app: FastAPI, document: dict[str, Any], mode: GenerationMode, examples: int, only: str) -> list[str]:
    """What is wrong, per endpoint."""
    schema = schemathesis.openapi.from_dict(document)
    schema.app = app
    wrong = []
    for result in schema.get_all_operations():
        operation = result.ok()
        if operation.path in ENDLESS or not operation.path.startswith(only):
            continue
        began = time.perf_counter()
        try:
            _check_operation(operation, mode, examples)
        except Unsatisfiable:
            # Nothing about this request can be wrong.
            continue
        except (Exception, BaseExceptionGroup) as error:
            wrong.append(f"{operation.method.upper()} {operation.path} ({mode.value}): {_told(error)}")
        print(
            f"{operation.method.upper():6} {operation.path:40} {mode.value:8} {time.perf_counter() - began:5.1f} s",
            flush=True,
        )
    return wrong


def _check_operation(operation: APIOperation, mode: GenerationMode, examples: int) -> None:
    @settings(
        max_examples=examples,
        derandomize=True,
        database=None,
        deadline=None,
        phases=(Phase.generate,),
        suppress_health_check=list(HealthCheck),
    )
    @given(case=operation.as_strategy(generation_mode=mode))
    def run(case: schemathesis.Case) -> None:
        case.validate_response(case.call(base_url=BASE_URL), checks=CHECKS)

    run()


def _told(error: BaseException) -> str:
    parts = [str(item) for item in getattr(error, "exceptions", ())] or [str(error)]
    return f"{type(error).__name__}: " + " | ".join(parts)


def main() -> int:
    """Run the check; 1 if something is wrong."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--examples", type=int, default=12, help="requests per endpoint and kind")
    parser.add_argument("--only", default="/", help="endpoints whose path begins so")
    options = parser.parse_args()
    setup_logging("error", "auto")
    # Generated requests are not what the libraries' authors had in mind.
    warnings.simplefilter("ignore")
    with tempfile.TemporaryDirectory(prefix="millrace-api-") as folder, application(Path(folder)) as app:
        document = app.openapi()
        wrong = [
            *check(app, document, GenerationMode.POSITIVE, options.examples, options.only),
            *check(app, guided(document), GenerationMode.POSITIVE, options.examples, options.only),
            *check(app, document, GenerationMode.NEGATIVE, options.examples, options.only),
        ]
    for line in wrong:
        print(f"WRONG {line}")
    print("ok" if not wrong else f"{len(wrong)} things are wrong")
    return int(bool(wrong))


if __name__ == "__main__":
    sys.exit(main())
