"""Whose clock a time is read from."""

import math
import os
import subprocess
import sys
import tomllib
from datetime import UTC, datetime
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from millrace.errors import QueryError
from millrace.lang import parse, zone
from millrace.query import Asking, Question, SearchQuestion, SeriesQuestion, TopQuestion, ValuesQuestion

from .stored_flows import BASE, SCHEMA, flow

NOW = float(BASE + 86_400)


@pytest.mark.parametrize(
    ("timezone", "offset"),
    [("UTC", 0), ("Europe/Berlin", 3600), ("America/New_York", -18_000), ("Asia/Kathmandu", 20_700)],
)
def test_range_without_an_offset_is_in_the_zone(timezone, offset):
    question = Question.model_validate(
        {"start": "2026-01-01T12:00:00", "end": "2026-01-01T13:00:00", "timezone": timezone}
    )
    assert question.span(NOW) == (BASE - offset, BASE + 3600 - offset)
    told = {"start": "2026-01-01T12:00:00+00:00", "end": "2026-01-01T14:00:00+01:00", "timezone": timezone}
    assert Question.model_validate(told).span(NOW) == (BASE, BASE + 3600)


@pytest.mark.parametrize("start", ["2026-03-29T02:30:00", "2026-10-25T02:30:00", "0001-01-01T00:00:00"])
@pytest.mark.parametrize("timezone", ["Europe/Berlin", "Asia/Kathmandu", "Pacific/Apia"])
def test_times_that_the_clock_skips_or_shows_twice_are_no_error(start, timezone):
    question = Question.model_validate({"start": start, "timezone": timezone})
    if start.startswith("0001"):
        with pytest.raises(QueryError, match="longer"):
            question.span(1_800_000_000.0)
    else:
        assert 0 < question.span(1_800_000_000.0)[0] < 1_800_000_000


SKIPPED = [
    ("Europe/Berlin", "2026-03-29T02:00", "2026-03-29T01:00Z"),
    ("Europe/Berlin", "2026-03-29T02:30", "2026-03-29T01:00Z"),
    ("Europe/Berlin", "2026-03-29T02:59:59.5", "2026-03-29T01:00Z"),
    ("Europe/Berlin", "2026-03-29T03:00", "2026-03-29T01:00Z"),
    ("Europe/Berlin", "2026-03-29T01:59:59.5", "2026-03-29T00:59:59.5Z"),
    ("America/Sao_Paulo", "2018-11-04", "2018-11-04T03:00Z"),
    ("America/Sao_Paulo", "2018-11-04T00:59", "2018-11-04T03:00Z"),
    ("Africa/Cairo", "2026-04-24T00:45", "2026-04-23T22:00Z"),
    ("Australia/Lord_Howe", "2026-10-04T02:15", "2026-10-03T15:30Z"),
    ("Pacific/Apia", "2011-12-30T13:00", "2011-12-30T10:00Z"),
    # Shown twice: the first.
    ("Europe/Berlin", "2026-10-25T02:30", "2026-10-25T00:30Z"),
    ("Australia/Lord_Howe", "2026-04-05T01:45", "2026-04-04T14:45Z"),
    ("America/Havana", "2026-11-01", "2026-11-01T04:00Z"),
    ("Africa/Cairo", "2026-10-29T23:30", "2026-10-29T20:30Z"),
]


@pytest.mark.parametrize(("timezone", "written", "meant"), SKIPPED)
def test_time_that_the_clock_skips_is_the_moment_at_which_it_does(timezone, written, meant):
    """ "Since half past two" was "since half past three" where the clock went from two to three."""
    moment = datetime.fromisoformat(meant)
    assert Question(start=written, timezone=timezone).span(1_800_000_000.0)[0] == math.floor(moment.timestamp())
    read = parse(f"TimeReceived >= {written}", SCHEMA, timezone=zone(timezone))
    assert read == parse(f"TimeReceived >= {meant}", SCHEMA)


@pytest.mark.parametrize(
    "name", ["", "Mars/Olympus", "Europe", "../etc/passwd", "/etc/localtime", "a" * 64, "UTC\0", "Europe/Berlin "]
)
def test_unknown_zone_is_refused(name):
    with pytest.raises(QueryError, match="unknown time zone"):
        zone(name)
    for kind, more in ((Question, {}), (TopQuestion, {"dimensions": ["SrcAS"]}), (ValuesQuestion, {"column": "SrcAS"})):
        with pytest.raises(ValidationError, match="unknown time zone"):
            kind(timezone=name, **more)


def test_zones_are_known_where_the_system_has_none():
    """Slim images have no /usr/share/zoneinfo: not even "UTC" is known there, and every question names a zone."""
    project = tomllib.loads((Path(__file__).parents[3] / "pyproject.toml").read_text())
    assert any(wanted.startswith("tzdata") for wanted in project["project"]["dependencies"])
    asked = "from millrace.query import Question; Question(), Question(timezone='Europe/Berlin')"
    nowhere = os.environ | {"PYTHONTZPATH": ""}
    subprocess.run(
        [sys.executable, "-c", f"{asked}; Question.model_validate({{'timezone': 'UTC'}})"], env=nowhere, check=True
    )


@given(st.text(max_size=64))
def test_any_name_is_a_zone_or_refused(name):
    try:
        zone(name)
    except QueryError:
        return


def test_interval_is_given_once():
    with pytest.raises(ValidationError, match="not both"):
        SeriesQuestion(interval="day", interval_seconds=60)


@pytest.mark.parametrize(("timezone", "found"), [("UTC", 1), ("Europe/Berlin", 2), ("America/New_York", 0)])
@pytest.mark.parametrize("text", ["TimeReceived >= 2026-01-01T13:00", "@late"])
def test_times_in_filters_and_saved_filters_are_in_the_zone_of_who_asks(store, engine, timezone, found, text):
    store.insert([flow(0), flow(3600)])
    asking = Asking(NOW, saved={"late": "TimeReceived >= 2026-01-01T13:00"})
    asked = {"filter": text, "timezone": timezone, "start": datetime.fromtimestamp(BASE, UTC), "last_seconds": None}
    top = engine.top(TopQuestion(dimensions=["SrcAS"], **asked), asking)
    assert top.total.flows == found
    assert len(engine.search(SearchQuestion(**asked), asking).flows) == found


@pytest.mark.parametrize(("timezone", "found"), [("UTC", 0), ("Europe/Berlin", 1)])
def test_values_of_one_zone_are_not_remembered_for_another(store, engine, timezone, found):
    """Between them lies an hour of the clock."""
    store.insert([flow(-2700, InIfProvider="cogent")])
    store.roll_up()
    for name in ("America/New_York", timezone):
        asked = {"start": "2026-01-01T12:00:00", "end": "2026-01-01T12:30:00", "timezone": name}
        values = engine.values(ValuesQuestion.model_validate({"column": "InIfProvider", **asked}), Asking(NOW))
    assert len(values) == found


def test_what_a_user_may_see_is_in_utc():
    """Whoever asks from elsewhere sees the same."""
    limit = parse("TimeReceived >= 2026-01-01T12:00", SCHEMA)
    assert limit == parse("TimeReceived >= 2026-01-01T13:00", SCHEMA, timezone=zone("Europe/Berlin"))
