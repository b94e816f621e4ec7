"""Measure speed and size against the targets: ``millrace bench``."""

from millrace.bench.result import BenchError, Options, Result
from millrace.bench.run import BENCHMARKS, run

__all__ = ["BENCHMARKS", "BenchError", "Options", "Result", "run"]
