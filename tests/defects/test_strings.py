"""What routers write into strings comes out as valid JSON that says the same, and harms no terminal."""

from __future__ import annotations

import json
import threading
from http.server import BaseHTTPRequestHandler, HTTPServer

import pytest
from typer.testing import CliRunner

from millrace.cli.main import app
from millrace.testing.netflow import IPFIX, VARIABLE, Template, ipfix, options_template_set, template_set

NAMES = {
    b'he said "no"': 'he said "no"',
    rb"C:\temp\new": r"C:\temp\new",
    b"Gi0/0\0\0\0\0\0\0\0": "Gi0/0",
    b"two\nlines\ttab\x01": "two\nlines\ttab\x01",
    b"caf\xc3\xa9": "café",
    b"\xff\xfe\x80": "\ufffd\ufffd\ufffd",
    b"a\xe2\x80\xa8b": "a\u2028b",
    b"": "",
}
FLOWS = Template(256, [(7, 2), (96, VARIABLE)])
INTERFACES = Template(300, [(10, 4), (82, 16), (83, VARIABLE)], scopes=1)
TRUTH = Template(257, [(276, 1), (7, 2)])


@pytest.fixture
def capture(tmp_path):
    """An IPFIX file of flows and of interface names as options."""
    path = tmp_path / "strings.ipfix"
    path.write_bytes(
        ipfix(
            template_set(IPFIX, FLOWS, TRUTH), options_template_set(IPFIX, INTERFACES),
            FLOWS.data(*((at, name) for at, name in enumerate(NAMES))),
            INTERFACES.data(*((at, name[:16], name) for at, name in enumerate(NAMES))),
            TRUTH.data((1, 4001), (2, 4002)),
        )
    )  # fmt: skip
    return path


def lines(*arguments):
    result = CliRunner().invoke(app, [str(argument) for argument in arguments])
    assert result.exit_code == 0, result.output
    return [json.loads(line) for line in result.stdout.split("\n") if line]


def test_flows_as_json_lines(capture):
    flows = lines("decode", capture, "--format", "jsonl", "--quiet")
    assert [flow["ApplicationName"] for flow in flows if flow["SrcPort"] < 4000] == list(NAMES.values())


def test_fields_and_options_as_json(capture):
    (message,) = lines("decode", capture, "--raw")
    records = [record["fields"] for one in message["sets"] for record in one.get("records", ())]
    assert [r["applicationName"] for r in records if "applicationName" in r] == list(NAMES.values())
    assert [r["interfaceDescription"] for r in records if "interfaceName" in r] == list(NAMES.values())
    assert message["problems"] == []


def test_truth_values_cost_no_message(capture):
    """1 is true and 2 is false (RFC 7011 §6.1.5)."""
    (message,) = lines("decode", capture, "--raw")
    records = [record["fields"] for one in message["sets"] for record in one.get("records", ())]
    truths = [r["dataRecordsReliability"] for r in records if "dataRecordsReliability" in r]
    assert truths == [True, False]
    flows = lines("decode", capture, "--format", "jsonl", "--quiet")
    assert [flow["SrcPort"] for flow in flows][-2:] == [4001, 4002]


@pytest.fixture
def console():
    """A console API that answers one question with names that strangers chose."""

    class Answer(BaseHTTPRequestHandler):
        def do_POST(self):
            row = {"value": 8.0, "packets": 1, "flows": 1, "share": 0.5}
            rows = [{**row, "labels": [name]} for name in ("[/red]", "[bold]x[/bold]", "a\x1b[2Jb\nc")]
            self.send_response(200)
            self.end_headers()
            self.wfile.write(
                json.dumps(
                    {
                        "start": "2026-01-31T11:55:00Z",
                        "end": "2026-01-31T12:00:00Z",
                        "dimensions": ["ApplicationName"],
                        "rows": rows,
                    }
                ).encode()
            )

        def log_message(self, *arguments):
            pass

    with HTTPServer(("127.0.0.1", 0), Answer) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()
        thread.join()


def test_names_neither_style_nor_steer_the_terminal(console):
    result = CliRunner().invoke(app, ["top", "--once", "--url", console, "--by", "ApplicationName"])
    assert result.exit_code == 0, result.output
    assert "[/red]" in result.stdout
    assert "[bold]x[/bold]" in result.stdout
    assert "a\ufffd[2Jb\ufffdc" in result.stdout
    assert "\x1b" not in result.stdout
