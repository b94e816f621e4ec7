"""Kills, a full disk, a clock that steps, floods and questions, all under load: the books balance (a small soak)."""

import signal
import subprocess
import sys
from pathlib import Path

import pytest

from .conftest import REQUIRED

SCRIPT = Path(__file__).parents[2] / "scripts" / "soak.py"
SMALL = ("--minutes", "3", "--kill-every", "40", "--rate", "50000", "--disk-gib", "8")
LONGEST_S = 900


@pytest.mark.skipif(not REQUIRED, reason="takes five minutes: with MILLRACE_REQUIRE_SERVICES=1, as in CI, or by hand")
@pytest.mark.slow
@pytest.mark.service
@pytest.mark.timeout(LONGEST_S + 60)
def test_three_minutes_of_everything_that_goes_wrong():
    process = subprocess.Popen([sys.executable, SCRIPT, *SMALL, "--require-all"], stdout=subprocess.PIPE, text=True)
    try:
        output, _ = process.communicate(timeout=LONGEST_S)
    except subprocess.TimeoutExpired:
        # Asked to end, it ends what it started.
        process.send_signal(signal.SIGTERM)
        output, _ = process.communicate(timeout=60)
    assert process.returncode == 0, output[-8000:]
    assert output.endswith("ok\n")
