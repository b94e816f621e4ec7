"""What is in the store of a measured server, asked with ``millrace sql``."""

from __future__ import annotations

import json
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

from millrace.bench.result import BenchError
from millrace.bench.server import Server

_ROLLUP = "flows_1m0s"
_SUMS = "sum(Bytes * SamplingRate) AS bytes, sum(Packets * SamplingRate) AS packets"
_RAW = f"count() AS flows, {_SUMS}"
_ROLLED = f"sum(Flows) AS flows, {_SUMS}"


def sql(folder: Path, statement: str) -> list[dict[str, Any]]:
    """Rows of a statement on a data folder.

    Raises
    ------
    BenchError
        If it fails.
    """
    command = [sys.executable, "-c", "from millrace.cli import main; main()"]
    command += ["sql", statement, "--data", str(folder), "--format", "JSONEachRow"]
    done = subprocess.run(command, capture_output=True, check=False)  # noqa: S603 - our own command
    if done.returncode:
        raise BenchError(f"{statement}: {done.stderr.decode(errors='replace')}")
    return [json.loads(line) for line in done.stdout.splitlines()]


def count_flows(server: Server) -> int:
    """Rows of the table of flows."""
    return int(sql(server.data, "SELECT count() AS flows FROM flows")[0]["flows"])


def compare_rollups(server: Server, wait_s: float) -> str:
    """Compare the totals of the one-minute rollup with those of the flows, minute by minute.

    Waits until every flow is in the rollup, at most `wait_s`.

    Returns
    -------
    str
        What was compared.

    Raises
    ------
    BenchError
        If totals differ.
    """
    deadline = time.monotonic() + wait_s
    total = count_flows(server)
    while True:
        rolled = _minutes(server, _ROLLUP, _ROLLED)
        done = sum(int(sums["flows"]) for sums in rolled.values())
        if done >= total or time.monotonic() > deadline:
            break
        time.sleep(2)
    raw = _minutes(server, "flows", _RAW)
    wrong = [minute for minute, sums in rolled.items() if sums != raw.get(minute)]
    if wrong:
        raise BenchError(f"rollup of {wrong[0]}: {rolled[wrong[0]]}, flows say {raw.get(wrong[0])}")
    if not rolled:
        return "nothing rolled up yet"
    return f"{done:,} of {total:,} flows rolled up with equal totals"


def _minutes(server: Server, table: str, sums: str) -> dict[str, dict[str, Any]]:
    minute = "toString(toStartOfMinute(TimeReceived))"
    rows = sql(server.data, f"SELECT {minute} AS minute, {sums} FROM {table} GROUP BY minute")  # noqa: S608 - ours
    return {row.pop("minute"): row for row in rows}
