"""`millrace top`: what it asks and what it shows."""

import json
import threading
from http.server import BaseHTTPRequestHandler, HTTPServer

import pytest
from typer.testing import CliRunner

from millrace.cli.main import app

ROW = {"dimensions": [64500], "labels": ["AS64500 \x1b[31mred"], "value": 12_300_000.0, "share": 0.5, "packets": 30,
       "flows": 3}  # fmt: skip
ANSWER = {
    "dimensions": ["SrcAS"],
    "start": "2026-01-01T11:55:00Z",
    "end": "2026-01-01T12:00:00Z",
    "rows": [ROW],
}


@pytest.fixture
def collector():
    """Answers every question with `reply`; keeps what it was asked."""

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self):
            body = self.rfile.read(int(self.headers["Content-Length"]))
            server.asked.append((self.path, dict(self.headers), json.loads(body)))
            status, said = server.reply
            self.send_response(status)
            self.end_headers()
            self.wfile.write(said)

        def log_message(self, *_):
            pass

    server = HTTPServer(("127.0.0.1", 0), Handler)
    server.asked, server.reply = [], (200, json.dumps(ANSWER).encode())
    server.url = f"http://127.0.0.1:{server.server_port}"
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield server
    server.shutdown()
    thread.join()
    server.server_close()


def run(collector, *arguments):
    return CliRunner().invoke(app, ["top", "--once", "--url", collector.url, "--by", "SrcAS", *arguments])


def test_filter_and_token_are_sent_and_labels_are_shown(collector):
    result = run(collector, "--filter", "Proto = tcp", "--token", "mlr_secret", "--minutes", "5", "-n", "3")
    assert result.exit_code == 0, result.output
    ((path, headers, question),) = collector.asked
    assert path == "/api/v1/flows/top"
    assert headers["Authorization"] == "Bearer mlr_secret"
    assert question == {"dimensions": ["SrcAS"], "limit": 3, "last_seconds": 300, "filter": "Proto = tcp"}
    assert "AS64500" in result.output
    assert "12.3 M" in result.output
    assert "\x1b" not in result.output


def test_no_token_is_sent_where_there_is_none(collector, monkeypatch):
    monkeypatch.delenv("MILLRACE_TOKEN", raising=False)
    run(collector)
    assert "Authorization" not in collector.asked[0][1]


@pytest.mark.parametrize(
    ("reply", "said"),
    [
        ((400, b'{"detail": "unknown column SrcAsn"}'), "unknown column SrcAsn"),
        ((502, b"<html>a proxy's page</html>"), "502"),
        ((401, b"[]"), "401"),
    ],
)
def test_refusals_are_told(collector, reply, said):
    collector.reply = reply
    result = run(collector)
    assert result.exit_code != 0
    assert said in result.output + str(result.exception)
