"""The benchmarks by name, and running them."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from datetime import UTC, datetime
from pathlib import Path

from millrace.bench import asking, decode, endtoend, layouts, machine, report
from millrace.bench.result import BenchError, Options, Result
from millrace.errors import ConfigError, MillraceError, did_you_mean

BENCHMARKS: dict[str, Callable[[Options], Iterator[Result]]] = {
    "decode": decode.decode_full,
    "decode-single": decode.decode_single,
    "decode-many": decode.decode_many,
    "udp-null": endtoend.udp_null,
    "udp-store": endtoend.udp_store,
    "start": endtoend.start,
    "questions": asking.questions,
    "disk": layouts.disk,
}
"""What can be measured; ``--only`` takes these names or their beginnings."""


def select(only: Sequence[str]) -> list[str]:
    """Names of the benchmarks that begin with one of `only`; all when it is empty.

    Raises
    ------
    ConfigError
        If nothing begins so.
    """
    if not only:
        return list(BENCHMARKS)
    for prefix in only:
        if not any(name.startswith(prefix) for name in BENCHMARKS):
            raise ConfigError(
                f"no benchmark {prefix!r}{did_you_mean(prefix, BENCHMARKS)}; there are {', '.join(BENCHMARKS)}"
            )
    return [name for name in BENCHMARKS if name.startswith(tuple(only))]


def run(
    only: Sequence[str] = (),
    *,
    quick: bool = False,
    write: Path | None = None,
    folder: Path | None = None,
    on_result: Callable[[Result], None] = report.show_progress,
) -> list[Result]:
    """Measure, print the table, write it as Markdown.

    Parameters
    ----------
    only : sequence of str
        Names of benchmarks or their beginnings.
    quick : bool
        Short runs.
    write : Path, optional
        Markdown file to put the table into, between its markers.
    folder : Path, optional
        Data folder that `questions` fills, or uses if flows are there already.
    on_result : callable
        Called with each result as it comes.

    Raises
    ------
    BenchError
        After the table, if a benchmark failed; one that fails does not stop the others.
    """
    options = Options(quick=quick, folder=folder)
    results: list[Result] = []
    failures: list[str] = []
    for name in select(only):
        try:
            for result in BENCHMARKS[name](options):
                results.append(result)
                on_result(result)
        except (MillraceError, OSError) as error:
            failures.append(f"{name}: {error}")
    described = machine.describe()
    report.print_table(results, described)
    if write is not None:
        report.write_markdown(write, report.markdown(results, described, datetime.now(UTC).date()))
    if failures:
        raise BenchError("; ".join(failures))
    return results
