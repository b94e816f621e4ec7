"""What the process asks of the libraries under it."""

from __future__ import annotations

import subprocess
import sys

_AFTER_A_START = """
import sys
import millrace.app.application, millrace.cli.main
from millrace.app.process import leave_pandas_out
leave_pandas_out()
import pyarrow as pa
from millrace.lang.patterns import regex_problem
table = pa.table({"Bytes": [1, 2]})
assert regex_problem("^ok$") == "" and regex_problem("(") != ""
assert "pandas" not in sys.modules, "something loads pandas"
assert table.to_pandas()["Bytes"].tolist() == [1, 2]
import pandas
assert pa.Table.from_pandas(pandas.DataFrame({"Bytes": [3]})).to_pylist() == [{"Bytes": 3}]
"""


def test_a_start_loads_no_pandas_and_who_wants_it_has_it() -> None:
    """It takes a quarter of a second and 40 MB; nothing of the collector uses it."""
    ended = subprocess.run([sys.executable, "-c", _AFTER_A_START], check=False, capture_output=True, text=True)

    assert ended.returncode == 0, ended.stderr


_TURNS = """
import sys, threading, time
from millrace.app.process import take_short_turns

def busy():
    while not over:
        sum(range(100))

def turns():
    end, count = time.perf_counter() + 0.5, 0
    while time.perf_counter() < end:
        time.sleep(0)  # lets go of the lock, as NumPy does
        count += 1
    return count

over = False
threads = [threading.Thread(target=busy) for _ in range(2)]
for thread in threads:
    thread.start()
before = turns()
take_short_turns()
after = max(turns() for _ in range(3))  # the machine may have other work
over = True
assert after > 2 * before, (before, after)
"""


def test_a_thread_that_lets_go_of_the_lock_gets_it_again_soon() -> None:
    ended = subprocess.run([sys.executable, "-c", _TURNS], check=False, capture_output=True, text=True, timeout=60)
    assert ended.returncode == 0, ended.stderr
