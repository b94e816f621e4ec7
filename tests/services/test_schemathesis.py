"""Requests made from the OpenAPI document meet no server error, and every response is as the document says."""

import subprocess
import sys
from pathlib import Path

import pytest

SCRIPT = Path(__file__).parents[2] / "scripts" / "check_api.py"


@pytest.mark.slow
@pytest.mark.timeout(180)
def test_every_endpoint_answers_as_documented():
    # A process of its own: the store's engine is one per process, and the libraries warn of much.
    done = subprocess.run([sys.executable, SCRIPT, "--examples", "10"], capture_output=True, text=True, timeout=170)
    assert done.returncode == 0, done.stdout[-5000:] + done.stderr[-5000:]
