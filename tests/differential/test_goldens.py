"""The raw decoder shows what other programs' expected decodes say."""

from __future__ import annotations

import pytest

from captures import Capture, by_path, flow_captures, ids, needs_captures
from differential import logstash, netgauze, pins, telegraf
from differential.compare import Tally
from millrace.decode.raw import RawDecoder

pytestmark = needs_captures

NETGAUZE = [c for c in flow_captures() if c.goldens("-flow.json")]


def compare_netgauze(capture: Capture) -> Tally:
    tally = Tally()
    decoder = RawDecoder()
    shown = [
        one
        for batch in capture.batches()
        for one in decoder.decode(batch)
        if one["protocol"] in ("ipfix", "netflow-v9")
    ]  # fmt: skip
    (path,) = capture.goldens("-flow.json")
    messages = netgauze.messages(path)
    tally.check("messages", len(messages), len(shown))
    for golden, ours in zip(messages, shown, strict=False):
        netgauze.compare_message(golden, ours, tally)
    return tally


def compare_logstash(context: dict) -> Tally:
    tally = Tally()
    decoder = RawDecoder()
    found: list[dict] = []
    for path in logstash.paths(context):
        for batch in by_path(path).batches():
            for shown in decoder.decode(batch):
                found += logstash.events(shown)
    logstash.compare_context(context, found, tally)
    return tally


CONTEXTS = [c for c in logstash.contexts() if c["json_events"] or c["field_assertions"]]

TELEGRAF = {telegraf.folder(c.path): c for c in flow_captures() if c.goldens("expected.out")}


def compare_telegraf(folder: str) -> Tally:
    tally = Tally()
    decoder = RawDecoder()
    found: list[dict] = []
    cases = sorted((c for c in flow_captures() if telegraf.folder(c.path) == folder), key=lambda c: c.path)
    for capture in cases:
        for batch in capture.batches():
            for shown in decoder.decode(batch):
                found += telegraf.candidates(shown)
    (golden,) = TELEGRAF[folder].goldens("expected.out")
    telegraf.compare(telegraf.lines(golden), found, tally)
    return tally


@pytest.mark.parametrize("capture", NETGAUZE, ids=ids(NETGAUZE))
def test_every_value_of_netgauze_is_equal(capture: Capture):
    pins.check("netgauze", capture.path, compare_netgauze(capture))


@pytest.mark.parametrize("context", CONTEXTS, ids=[context["context"] for context in CONTEXTS])
def test_every_value_of_logstash_is_equal(context: dict):
    pins.check("logstash", context["context"], compare_logstash(context))


@pytest.mark.parametrize("folder", TELEGRAF)
def test_every_value_of_telegraf_is_equal(folder: str):
    pins.check("telegraf", folder, compare_telegraf(folder))
