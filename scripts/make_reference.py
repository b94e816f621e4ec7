"""Write the reference pages that follow from the code: columns, configuration, command line, HTTP API, rights, metrics.

.venv/bin/python scripts/make_reference.py           # writes docs/reference/*.md
.venv/bin/python scripts/make_reference.py --check   # fails if a page is stale
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterator
from itertools import groupby
from pathlib import Path
from typing import Any, get_args

import typer.main
from typer.cli import get_docs_for_click

from millrace.api import ApiSettings, create_app
from millrace.api.rights import MAY, RIGHTS, WORDS, Right, Who
from millrace.app.application import Application
from millrace.app.settings import Settings
from millrace.cli.main import app
from millrace.cli.output import NOT_ALL_STORED
from millrace.config import reference
from millrace.schema import COUNTER_COLUMNS, Column, Schema

FOLDER = Path(__file__).parents[1] / "docs" / "reference"
MADE = "<!-- Made by scripts/make_reference.py; change the code, not this page. -->\n\n"


def columns_page() -> str:
    """Every column of `flows`, by group, and of the interface counters."""
    lines = [
        "# Columns\n",
        "Columns of the table `flows`. *Rollup*: `key` columns are also in `flows_1m0s`, `flows_5m0s` and",
        "`flows_1h0m0s`, where rows are told apart by them; `sum` columns are added up there.\n",
    ]
    schema = sorted(Schema(), key=lambda column: column.group)
    for group, columns in groupby(schema, key=lambda column: column.group):
        lines += [f"## {group}\n", "| column | type | rollup | meaning | from |", "|---|---|---|---|---|"]
        lines += [_column_row(column) for column in columns]
        lines.append("")
    lines += ["## Table `interface_counters`\n", "| column | type | meaning |", "|---|---|---|"]
    lines += [f"| `{column.name}` | {column.clickhouse} | {column.description} |" for column in COUNTER_COLUMNS]
    return "\n".join(lines) + "\n"


def _column_row(column: Column) -> str:
    sources = []
    if column.elements:
        named = (f"{element.pen}:{element.id}" if element.pen else str(element.id) for element in column.elements)
        sources.append(f"elements {', '.join(named)}")
    if column.netflow_v5:
        sources.append(f"NetFlow v5 `{column.netflow_v5}`")
    if column.sflow:
        sources.append(f"sFlow {column.sflow}")
    kind = column.clickhouse.replace("|", "\\|")
    return f"| `{column.name}` | {kind} | {column.rollup or ''} | {column.description} | {'; '.join(sources)} |"


def configuration_page() -> str:
    """Every setting."""
    return reference(Settings)


def command_line_page() -> str:
    """Every command and option."""
    command = typer.main.get_command(app)
    with typer.Context(command, info_name="millrace") as context:
        text = get_docs_for_click(obj=command, ctx=context, name="millrace", title="Command line")
    lines = [line.rstrip() for line in text.strip().splitlines()]
    return "\n".join([*lines, "", *_exit_statuses()]) + "\n"


def _exit_statuses() -> list[str]:
    return [
        "## Exit status\n",
        "| status | meaning |\n|---|---|",
        "| 0 | All went well; also of `serve`, when it was told to stop. |",
        "| 1 | An error, told in a sentence on the standard error output; or the command was aborted. |",
        "| 2 | The command line was wrong. |",
        f"| {NOT_ALL_STORED} | Something that was received could not be stored and was given up; the log tells. |",
    ]


def api_page() -> str:
    """Every endpoint."""
    application = Application(Settings())
    document = create_app(application.services(), ApiSettings()).openapi()
    lines = ["# HTTP API\n", f"{document['info']['description']}\n", "OpenAPI document: `/api/v1/openapi.json`.\n"]
    for path, methods in document["paths"].items():
        for method, operation in methods.items():
            lines += [*_operation(method, path, operation), ""]
    return "\n".join(lines)


def _operation(method: str, path: str, operation: dict[str, Any]) -> Iterator[str]:
    yield f"## `{method.upper()} {path}`\n"
    yield operation.get("description", operation.get("summary", ""))
    parameters = operation.get("parameters", [])
    if parameters:
        yield "\n| parameter | meaning |\n|---|---|"
        for parameter in parameters:
            yield f"| `{parameter['name']}` | {parameter.get('description', '')} |"


def metrics_page() -> str:
    """Every metric, by room."""
    metrics = Application(Settings()).metrics
    lines = [
        "# Metrics\n",
        "`GET /metrics` answers in Prometheus' text format. Counters count since the start of the process. The",
        "label `exporter` is an address; those beyond `telemetry.metrics.max_exporters` share `other`. Beside these",
        "there are the usual metrics of the process (`process_…`: memory, CPU, open files).\n",
    ]
    described = sorted(metrics.described, key=lambda metric: metric.name.split("_")[1])
    for room, found in groupby(described, key=lambda metric: metric.name.split("_")[1]):
        lines += [f"## {room}\n", "| metric | type | labels | meaning |", "|---|---|---|---|"]
        for metric in found:
            labels = ", ".join(f"`{label}`" for label in metric.labels)
            lines.append(f"| `{metric.name}` | {metric.kind} | {labels} | {metric.description} |")
        lines.append("")
    return "\n".join(lines)


def rights_page() -> str:
    """Who may use each endpoint."""
    columns: list[Who] = list(get_args(Who))
    lines = [
        "# Rights\n",
        "What each endpoint of the HTTP interface needs, and who has it. Who asks without being recognised, or with a",
        "session or token that has ended, is of a disabled user or of another `access.mode`, gets status 401; who is",
        "recognised and may not, 403. A *tenant* is limited to some flows by a filter, whatever the role. A *managing*",
        "token is an administrator's that was made with `--manages`. Where nobody logs in (`access.mode: open`),",
        "everybody is an administrator. [Let people log in](../how-to/log-in.md) says how people get roles.\n",
        "## Who has what\n",
        "| need | " + " | ".join(columns) + " | |",
        "|---" * (len(columns) + 2) + "|",
    ]
    for need, may in MAY.items():
        marks = ("yes" if who in may else "" for who in columns)
        lines.append(f"| {need} | {' | '.join(marks)} | {WORDS[need]} |")
    lines += ["\n## What each endpoint needs\n", "| endpoint | need | of what is shared |", "|---|---|---|"]
    lines += [f"| `{right.method} {_path(right)}` | {right.need} | {right.shared} |" for right in RIGHTS]
    lines.append("| pages and files of the console | nothing | |")
    return "\n".join(lines) + "\n"


def _path(right: Right) -> str:
    """Path without the kinds of its parameters."""
    return right.path.replace(":path}", "}")


PAGES = {
    "columns.md": columns_page,
    "configuration.md": configuration_page,
    "command-line.md": command_line_page,
    "api.md": api_page,
    "rights.md": rights_page,
    "metrics.md": metrics_page,
}


def main() -> int:
    """Write or check every page."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--check", action="store_true", help="write nothing; fail if a page is stale")
    check = parser.parse_args().check
    stale = []
    for name, make in PAGES.items():
        path, text = FOLDER / name, MADE + make()
        if path.exists() and path.read_text(encoding="utf-8") == text:
            continue
        stale.append(name)
        if not check:
            path.write_text(text, encoding="utf-8")
    if check and stale:
        print(f"stale: {', '.join(stale)}; run scripts/make_reference.py")
    return int(check and bool(stale))


if __name__ == "__main__":
    sys.exit(main())
