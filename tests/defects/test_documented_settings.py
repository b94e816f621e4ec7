"""Prose of the documentation names settings that exist, and defaults that hold."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from pydantic import BaseModel

from millrace.app.settings import Settings

ROOT = Path(__file__).parents[2]
PAGES = [
    page
    for page in sorted([ROOT / "README.md", *ROOT.glob("docs/**/*.md")])
    if page.name != "configuration.md"  # generated; its freshness is tested with the other generated pages
]
SECTIONS = {info.alias or name: info.annotation for name, info in Settings.model_fields.items()}


def known(path: str) -> bool:
    section, *keys = path.split(".")
    model = SECTIONS[section]
    for key in keys:
        if not (isinstance(model, type) and issubclass(model, BaseModel)):
            return True
        fields = {info.alias or name: info.annotation for name, info in model.model_fields.items()}
        if key not in fields:
            return False
        model = fields[key]
    return True


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_settings_named_in_prose_exist(page):
    named = re.findall(rf"`((?:{'|'.join(SECTIONS)})\.[a-z0-9_.]+)`", page.read_text())
    assert [path for path in named if not known(path)] == []


def test_a_setting_that_is_gone_would_be_noticed():
    assert known("pipeline.flush_interval_s")
    assert not known("pipeline.minimum_wait_time")


@pytest.mark.parametrize(
    ("page", "sentence", "value"),
    [
        (
            "docs/how-to/lose-no-datagram.md",
            "asks for {} MiB per socket",
            lambda s: s.receive.receive_buffer_bytes >> 20,
        ),
        ("docs/explanation/architecture.md", "({} s by default)", lambda s: f"{s.pipeline.flush_interval_s:g}"),
    ],
)
def test_defaults_told_in_prose_hold(page, sentence, value):
    assert sentence.format(value(Settings())) in (ROOT / page).read_text()
