"""The diffs of the page for developers, applied to the code as it is, do what the page says."""

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PAGE = ROOT / "docs" / "how-to" / "change-millrace.md"

PROOFS = {
    "A column": """
        from millrace.batch import DatagramBatch
        from millrace.decode import Decoder
        from millrace.schema import Schema
        from millrace.testing.netflow import EXPORT_S, IPFIX, Template, ipfix, template_set

        template = Template(256, [(8, 4), (186, 2)])
        payload = ipfix(template_set(IPFIX, template), template.data(("192.0.2.1", 4711)))
        batch = DatagramBatch.from_payloads([payload], source="192.0.2.9", time_ns=EXPORT_S * 10**9)
        table = Decoder(Schema()).decode(batch).flows.to_arrow(Schema())
        assert table["TCPWindow"].to_pylist() == [4711]
        from millrace.lang import parse
        parse("TCPWindow < 100", Schema())
    """,
    "An attribute of exporters": """
        import numpy as np
        from millrace.app.settings import Settings
        from millrace.batch import FlowBatch, address_bytes
        from millrace.config import static_metadata
        from millrace.enrich import Enricher
        from millrace.schema import Schema

        settings = Settings.model_validate({"exporters": {"192.0.2.1": {"name": "edge", "vendor": "Acme"}}})
        flows = FlowBatch(1)
        flows.put("ExporterAddress", np.frombuffer(address_bytes("192.0.2.1"), np.uint8).reshape(1, 16))
        table = Enricher(static_metadata(settings.exporters)).enrich(flows).to_arrow(Schema())
        assert table["ExporterVendor"].to_pylist() == ["Acme"]
    """,
    "A sink": """
        import json
        import socket
        import time
        from millrace.app import application as wiring
        from millrace.app.settings import Settings
        from millrace.generate import LoadPool

        server = socket.create_server(("127.0.0.1", 0))
        sink = {"kind": "tcp", "host": "127.0.0.1", "port": server.getsockname()[1], "columns": ["SrcAddr", "Bytes"]}
        settings = {
            "data": "data", "receive": {"listeners": ["127.0.0.1:0"]}, "api": {"enabled": False}, "sinks": {"out": sink}
        }
        application = wiring.Application(Settings.model_validate(settings))
        application.start()
        pool = LoadPool("ipfix", datagrams=1)
        application.pipeline.put(pool.preamble(time.time_ns()).batch("192.0.2.1"))
        application.pipeline.put(pool.take(1, time.time_ns()).batch("192.0.2.1"))
        taken = server.accept()[0].makefile()
        first = json.loads(taken.readline())
        application.stop()
        lines = [first, *map(json.loads, taken)]
        assert len(lines) == application.pipeline.writer.stored > 0
        assert all(line.keys() == {"SrcAddr", "Bytes"} for line in lines)
    """,
    "A periodic job": """
        import time
        from millrace.app import application as wiring
        from millrace.app.settings import Settings
        from millrace.generate import LoadPool

        wiring._SILENCE_INTERVAL_S, wiring._SILENT_S = 0.05, 0
        settings = {"data": "data", "receive": {"listeners": ["127.0.0.1:0"]}, "api": {"enabled": False}}
        application = wiring.Application(Settings.model_validate(settings))
        application.start()
        pool = LoadPool("ipfix", datagrams=1)
        application.pipeline.put(pool.preamble(time.time_ns()).batch("192.0.2.1"))
        end = time.monotonic() + 30
        while time.monotonic() < end:
            said = application.health.report().components["silence"]
            if said.status == "degraded":
                break
            time.sleep(0.05)
        application.stop()
        assert "nothing has come for ten minutes from 192.0.2.1" in str(said.reasons), said
    """,
}


def sections():
    """Diffs of the page by heading."""
    parts = re.split(r"^## (.+)$", PAGE.read_text(), flags=re.MULTILINE)
    texts = dict(zip(parts[1::2], parts[2::2], strict=True))
    found = {title: re.findall(r"```diff\n(.*?)```", text, re.DOTALL) for title, text in texts.items()}
    return {title: diffs for title, diffs in found.items() if diffs}


def test_every_diff_has_a_proof():
    assert sections().keys() == PROOFS.keys()


@pytest.mark.parametrize("title", PROOFS)
def test_a_diff_applies_and_does_what_it_should(title, tmp_path):
    if shutil.which("git") is None:
        pytest.skip("git is not installed")
    leave_out = shutil.ignore_patterns("dist", "__pycache__")
    shutil.copytree(ROOT / "src" / "millrace", tmp_path / "src" / "millrace", ignore=leave_out)
    for diff in sections()[title]:
        done = subprocess.run(
            ["git", "apply", "--verbose", "-"], cwd=tmp_path, input=diff, text=True, capture_output=True,
            env={**os.environ, "GIT_CEILING_DIRECTORIES": str(tmp_path.parent)},
        )  # fmt: skip
        assert done.returncode == 0, f"{done.stderr}\nThe code has changed: make the diff of the page anew."
    proof = "\n".join(line.removeprefix(" " * 8) for line in PROOFS[title].splitlines())
    environment = {**os.environ, "PYTHONPATH": str(tmp_path / "src")}
    done = subprocess.run(
        [sys.executable, "-c", proof], cwd=tmp_path, env=environment, capture_output=True, text=True, timeout=100
    )
    assert done.returncode == 0, done.stderr
