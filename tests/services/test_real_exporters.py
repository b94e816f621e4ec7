"""Every flow that softflowd and pmacctd export is stored with the right addresses, ports, bytes, packets and times."""

import subprocess
import sys
from pathlib import Path

import pytest

SCRIPT = Path(__file__).parents[2] / "scripts" / "check_real_exporters.py"


@pytest.mark.service
@pytest.mark.timeout(240)
def test_flows_of_real_exporters_are_stored_as_sent(softflowd, pmacctd):
    done = subprocess.run([sys.executable, SCRIPT], capture_output=True, text=True, timeout=230)
    assert done.returncode == 0, done.stdout + done.stderr
    assert done.stdout.count("ok ") == 7
