"""``python -m millrace.bench``: the benchmark without the command line's other commands."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from millrace.app.process import keep_freed_memory, leave_pandas_out
from millrace.bench.run import BENCHMARKS, run
from millrace.errors import MillraceError


def main() -> int:
    """Parse arguments, measure."""
    parser = argparse.ArgumentParser(prog="python -m millrace.bench", description="Measure speed and size.")
    parser.add_argument("--only", action="append", default=[], help=f"one of {', '.join(BENCHMARKS)}, or its beginning")
    parser.add_argument("--quick", action="store_true", help="short runs, to see that it works")
    parser.add_argument("--write", type=Path, help="Markdown file to put the table into")
    parser.add_argument(
        "--store", type=Path, help="data folder that questions are put to; filled if it is empty, and kept"
    )
    arguments = parser.parse_args()
    keep_freed_memory()
    leave_pandas_out()
    try:
        run(arguments.only, quick=arguments.quick, write=arguments.write, folder=arguments.store)
    except MillraceError as error:
        sys.stderr.write(f"{error}\n")
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
