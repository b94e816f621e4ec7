"""`millrace sql` at a terminal."""

import os
import signal
import subprocess
import sys

import pytest


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="needs named pipes")
def test_ctrl_c_ends_a_statement_that_runs(tmp_path):
    """The engine knows nothing of Python's handlers; the data folder would stay locked until it is through."""
    (tmp_path / "data" / "clickhouse").mkdir(parents=True)
    (tmp_path / "data" / "millrace.lock").touch()
    os.mkfifo(tmp_path / "never")
    words = [sys.executable, "-c", "from millrace.cli import main; main()", "sql", "--outside"]
    with subprocess.Popen(
        [*words, f"SELECT * FROM file('{tmp_path}/never', 'LineAsString', 'line String')"], cwd=tmp_path
    ) as process:
        try:
            # Opens once the statement reads.
            with (tmp_path / "never").open("wb"):
                process.send_signal(signal.SIGINT)
                assert process.wait(10) == -signal.SIGINT
        finally:
            process.kill()
