"""Running benchmarks."""

import pytest

from millrace.bench import BenchError, Result
from millrace.bench import run as run_benchmarks
from millrace.bench.run import BENCHMARKS


def failing(_options):
    yield Result("half", 1, "s")
    raise BenchError("flows are missing")


def test_a_failed_benchmark_leaves_the_results_of_the_others(monkeypatch, tmp_path, capsys):
    monkeypatch.setitem(BENCHMARKS, "zz-1", failing)
    monkeypatch.setitem(BENCHMARKS, "zz-2", lambda _options: iter([Result("whole", 2, "s")]))
    page, seen = tmp_path / "page.md", []
    with pytest.raises(BenchError, match="zz-1: flows are missing"):
        run_benchmarks(["zz"], write=page, on_result=seen.append)
    assert [result.name for result in seen] == ["half", "whole"]
    assert "| whole | 2 s |" in page.read_text()
    assert "whole" in capsys.readouterr().out
