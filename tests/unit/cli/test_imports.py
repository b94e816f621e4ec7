"""What the commands import."""

import subprocess
import sys
from typing import get_args

from millrace.cli import traffic
from millrace.generate import Mix


def test_a_server_imports_neither_benchmarks_nor_synthetic_traffic_nor_what_tests_need():
    asked = "import sys, millrace.cli.main; print(*sys.modules)"
    done = subprocess.run([sys.executable, "-c", asked], capture_output=True, text=True, check=True, timeout=60)
    rooms = {name.split(".")[1] for name in done.stdout.split() if name.startswith("millrace.")}
    assert {"app", "decode", "store"} <= rooms
    assert not rooms & {"bench", "generate", "testing"}


def test_mixes_of_the_command_are_those_of_the_generator():
    assert get_args(traffic.Mix) == get_args(Mix)
