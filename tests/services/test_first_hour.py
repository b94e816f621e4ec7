"""What a new user tries first raises no false alarm: live traffic through softflowd, pmacctd and Open vSwitch."""

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from services.conftest import need

SCRIPT = Path(__file__).parents[2] / "scripts" / "check_first_hour.py"


@pytest.mark.alone
@pytest.mark.service
@pytest.mark.slow
@pytest.mark.timeout(420)
def test_real_exporters_are_not_accused(softflowd, pmacctd):
    need(shutil.which("ovs-vswitchd") or Path("/usr/sbin/ovs-vswitchd").exists(), "Open vSwitch is not installed")
    done = subprocess.run(
        [sys.executable, SCRIPT, "--seconds", "12", "--jobs", "3"], capture_output=True, text=True, timeout=400
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert done.stdout.count("ok ") == 7
