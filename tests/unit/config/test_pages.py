"""JSON Schema, effective settings and reference page."""

import yaml
from pydantic import Field, SecretStr

from millrace.app.settings import Settings
from millrace.config import ExportersSettings, Section, reference, schema, show
from millrace.telemetry import TelemetrySettings


class Server(Section):
    """Where to connect."""

    port: int = Field(default=9000, ge=1, le=65535)
    """Port of the
    server."""

    password: SecretStr = SecretStr("hunter2")
    """Password."""

    timeout_seconds: float = 5.0
    """How long to wait."""


class Root(Section):
    servers: tuple[Server, ...] = (Server(port=1),)
    """Servers, tried in turn."""

    telemetry: TelemetrySettings = TelemetrySettings()
    """Logs and metrics."""

    exporters: ExportersSettings = Field(default_factory=dict)
    """Exporters by subnet."""

    columns: tuple[str, ...] = Field(default=("SrcAS",), alias="schema")
    """Columns."""


def test_schema_carries_the_sentences_and_refuses_unknown_keys():
    found = schema(Root)
    assert found["properties"]["servers"]["description"] == "Servers, tried in turn."
    assert found["$defs"]["Server"]["additionalProperties"] is False


def test_show_masks_secrets_and_is_yaml():
    text = show(Root(servers=(Server(),)))
    assert "hunter2" not in text
    assert yaml.safe_load(text)["schema"] == ["SrcAS"]
    assert yaml.safe_load(text)["servers"][0]["port"] == 9000


def test_reference_lists_every_setting_with_default_unit_and_bounds():
    page = reference(Root)
    assert "| `servers[0].port` | whole number | `9000` | ≥ 1, ≤ 65535 | Port of the server. |" in page
    assert "| `servers[0].timeout_seconds` | number | `5.0` | s | How long to wait. |" in page
    assert "| `exporters.<key>.interfaces.<key>.name` | text | none |" in page
    assert "| `telemetry.log.level` | `debug` or `info` or `warning` or `error` | `info` |" in page
    assert "Default:\n\n```yaml\n- port: 1\n" in page
    assert "| `schema` | list of text | `['SrcAS']` |" in page
    assert "hunter2" not in page


def test_every_setting_of_millrace_is_documented():
    rows = [line.split(" | ") for line in reference(Settings).splitlines() if line.startswith("| `")]
    assert len(rows) > 50
    assert [row[0] for row in rows if len(row[-1].strip(" |")) < 8] == []


def test_every_section_of_millrace_is_documented():
    lines = reference(Settings).splitlines()
    assert [line for line, after in zip(lines, lines[2:], strict=False) if line.startswith("##") and not after] == []
