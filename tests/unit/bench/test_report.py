"""Reports of benchmarks."""

from datetime import date

import pytest

from millrace.bench import BENCHMARKS, Result
from millrace.bench.report import BEGIN, END, format_value, markdown, write_markdown
from millrace.bench.run import select
from millrace.errors import ConfigError


@pytest.mark.parametrize(
    ("value", "unit", "text"),
    [
        (8_123_456, "flows/s", "8.12 M flows/s"),
        (412_000, "flows/s", "412 k flows/s"),
        (0.4312, "s", "0.431 s"),
        (1536, "MiB", "1,536 MiB"),
        (12, "flows/s", "12 flows/s"),
    ],
)
def test_figures_have_three_digits_and_a_unit(value, unit, text):
    assert format_value(value, unit) == text


def test_a_target_is_reached_from_its_right_side():
    assert Result("speed", 9, "flows/s", 8).reached is True
    assert Result("speed", 7, "flows/s", 8).reached is False
    assert Result("memory", 9, "MiB", 8, lower_is_better=True).reached is False
    assert Result("note", 9, "MiB").reached is None


def test_markdown_replaces_what_is_between_the_markers(tmp_path):
    page = tmp_path / "performance.md"
    page.write_text(f"# Performance\n\nBefore.\n\n{BEGIN}\nold\n{END}\n\nAfter.\n")
    text = markdown([Result("decode", 1e6, "flows/s", 2e6)], {"Cores": "2"}, date(2026, 1, 31))
    write_markdown(page, text)
    write_markdown(page, text)
    written = page.read_text()
    assert written.startswith("# Performance\n\nBefore.\n")
    assert written.endswith("\nAfter.\n")
    assert "old" not in written
    assert written.count("| decode | 1 M flows/s | ≥ 2 M flows/s | no |") == 1
    assert "Measured on 2026-01-31" in written


def test_markers_are_added_to_a_page_without_them(tmp_path):
    page = tmp_path / "docs" / "performance.md"
    write_markdown(page, "text\n")
    assert page.read_text() == f"# Performance\n\n{BEGIN}\ntext\n{END}\n"


def test_benchmarks_are_selected_by_their_beginning():
    assert select([]) == list(BENCHMARKS)
    assert select(["decode"]) == [name for name in BENCHMARKS if name.startswith("decode")]
    with pytest.raises(ConfigError, match="no benchmark 'decod-x'"):
        select(["decod-x"])
