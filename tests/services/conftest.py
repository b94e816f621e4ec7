"""Programs and rights that service tests need: skipped where absent, required in CI."""

from __future__ import annotations

import os
import shutil

import pytest

REQUIRED = os.environ.get("MILLRACE_REQUIRE_SERVICES") == "1"


def need(condition: object, reason: str) -> None:
    """Skip the test with a reason; fail instead where services are required."""
    if condition:
        return
    if REQUIRED:
        pytest.fail(f"{reason} (MILLRACE_REQUIRE_SERVICES=1)")
    pytest.skip(reason)


@pytest.fixture
def softflowd() -> str:
    path = shutil.which("softflowd") or shutil.which("/usr/sbin/softflowd")
    need(path, "softflowd is not installed (Debian package softflowd)")
    return str(path)


@pytest.fixture
def pmacctd() -> str:
    path = shutil.which("pmacctd") or shutil.which("/usr/sbin/pmacctd")
    need(path, "pmacctd is not installed (Debian package pmacct)")
    return str(path)
