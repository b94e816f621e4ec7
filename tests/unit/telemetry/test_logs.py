"""Logs."""

import io
import json
import logging

import pytest
import structlog
from pydantic import SecretStr

from millrace.telemetry import Brake, setup_logging


@pytest.fixture(autouse=True)
def _restore():
    root = logging.getLogger()
    handlers, level = list(root.handlers), root.level
    yield
    root.handlers[:] = handlers
    root.setLevel(level)
    structlog.reset_defaults()


def lines(stream):
    return [json.loads(line) for line in stream.getvalue().splitlines()]


def test_json_has_event_level_room_and_time():
    stream = io.StringIO()
    setup_logging("info", "json", stream)
    structlog.get_logger("millrace.receive").warning("buffer small", wanted_bytes=5)
    (line,) = lines(stream)
    assert line.pop("timestamp").endswith("Z")
    assert line == {"event": "buffer small", "wanted_bytes": 5, "level": "warning", "logger": "millrace.receive"}


def test_less_severe_messages_are_left_out():
    stream = io.StringIO()
    setup_logging("warning", "json", stream)
    structlog.get_logger("millrace.receive").info("quiet")
    assert stream.getvalue() == ""


def test_set_up_again_writes_once_and_to_the_new_stream():
    first, second = io.StringIO(), io.StringIO()
    setup_logging("info", "json", first)
    setup_logging("info", "json", second)
    structlog.get_logger("millrace.x").info("here")
    assert (len(lines(first)), len(lines(second))) == (0, 1)


def test_libraries_log_in_the_same_form():
    stream = io.StringIO()
    setup_logging("info", "json", stream)
    logging.getLogger("uvicorn.error").error("boom %s", 1)
    assert lines(stream)[0]["event"] == "boom 1"


@pytest.mark.parametrize("form", ["json", "console"])
def test_secrets_never_show(form):
    stream = io.StringIO()
    setup_logging("info", form, stream)
    structlog.get_logger("millrace.x").info(
        "e", password="hunter2", nested={"SNMP_Community": "hunter2"}, value=SecretStr("hunter2")
    )
    assert "hunter2" not in stream.getvalue()
    assert "e" in stream.getvalue()


@pytest.mark.parametrize("form", ["json", "console"])
def test_exceptions_show_their_traceback_but_no_variables(form):
    password = "hunter2"
    stream = io.StringIO()
    setup_logging("info", form, stream)
    try:
        int("wrong" if password else "")
    except ValueError:
        structlog.get_logger("millrace.x").exception("failed")
    assert "invalid literal for int()" in stream.getvalue()
    assert "hunter2" not in stream.getvalue()


def test_auto_is_json_where_there_is_no_terminal():
    stream = io.StringIO()
    setup_logging("info", "auto", stream)
    structlog.get_logger("millrace.x").info("e")
    assert lines(stream)[0]["event"] == "e"


def test_a_line_that_strangers_cause_is_written_some_times_a_minute_and_says_how_many_were_not():
    now, said = [100.0], []
    brake = Brake(3, lambda: now[0])

    def write(event, **more):
        said.append((event, more))

    for number in range(10):
        brake.write(write, "refused", number=number)
    assert said == [("refused", {"number": number}) for number in range(3)]
    now[0] += 60
    brake.write(write, "refused", number=10)
    brake.write(write, "refused", number=11)
    assert said[3:] == [("refused", {"number": 10, "left_out": 7}), ("refused", {"number": 11})]
