"""Many questions at the same time while flows arrive: none is lost, none waits long (a small version of the check)."""

import subprocess
import sys
from pathlib import Path

import pytest

SCRIPT = Path(__file__).parents[2] / "scripts" / "check_concurrent_explore.py"
SMALL = ("--rate", "20000", "--seconds", "8", "--clients", "40", "--history", "100000", "--max-memory-mib", "1536")


@pytest.mark.alone
@pytest.mark.service
@pytest.mark.timeout(180)
def test_no_flow_is_lost_and_no_question_waits_while_many_are_asked():
    done = subprocess.run([sys.executable, SCRIPT, *SMALL], capture_output=True, text=True, timeout=170)
    assert done.returncode == 0, done.stdout[-5000:] + done.stderr[-5000:]
    assert done.stdout.endswith("ok\n")
