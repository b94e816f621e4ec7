"""Every capture decodes, and holds as many records as its index says."""

from __future__ import annotations

import json
from collections import Counter

import pytest

from captures import Capture, flow_captures, ids, needs_captures
from millrace.decode.raw import RawDecoder

pytestmark = needs_captures

CAPTURES = flow_captures()


@pytest.mark.parametrize("capture", CAPTURES, ids=ids(CAPTURES))
def test_raw_decoder_counts_what_the_index_counts(capture: Capture):
    decoder = RawDecoder()
    counts: Counter[str] = Counter()
    for own, batch in capture.batches_with_templates():
        for shown in decoder.decode(batch):
            json.dumps(shown, allow_nan=False)
            if own:
                counts += count(shown)
    assert expected(capture) == {name: counts[name] for name in expected(capture)}


def count(shown: dict) -> Counter[str]:
    """Records and samples that the raw decoder shows of a datagram."""
    counts = Counter({"data_records": len(shown.get("records", ()))})
    for found in shown.get("sets", ()):
        counts["data_records" if found["kind"] == "data" else "option_records"] += len(found.get("records", ()))
    for sample in shown.get("samples", ()):
        counts[sample["kind"]] += 1
        counts["data_records"] += sample["kind"] in ("flow", "expanded_flow")
    return counts


SAMPLES = {"flow": "flow", "flow-exp": "expanded_flow", "counters": "counters", "counters-exp": "expanded_counters",
           "discard": "discard"}  # fmt: skip


def expected(capture: Capture) -> dict[str, int]:
    """What the index says, in the raw decoder's words."""
    counts = {name: capture.entry[name] or 0 for name in ("data_records", "option_records")}
    for name, number in (capture.entry["sflow_samples"] or {}).items():
        counts[SAMPLES[name]] = number
    return counts
