"""Real datagrams: as many samples as an independent count found, and nothing of them is lost."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

_CAPTURES = Path(__file__).parents[5] / "shared" / "captures"


def _cases() -> list[Any]:
    index = _CAPTURES / "index.json"
    if not index.exists():
        return [pytest.param({}, marks=pytest.mark.skip(reason="no captures beside the repository"))]
    return [
        pytest.param(entry, id=entry["path"])
        for entry in json.loads(index.read_text())
        if entry["container"] == "raw UDP payload" and entry["sflow_samples"]
    ]


@pytest.mark.parametrize("entry", _cases())
def test_samples_of_real_datagrams(sflow, entry):
    payload = (_CAPTURES / entry["path"]).read_bytes()
    payload = payload[payload.index(b"\0\0\0\5") :] if payload[:4] != b"\0\0\0\5" else payload
    outcome = sflow.decode(payload)
    told = entry["sflow_samples"]
    flows = told.get("flow", 0) + told.get("flow-exp", 0) + told.get("discard", 0)
    assert len(outcome.flows) == flows
    assert outcome.events.get("counter_samples", 0) == told.get("counters", 0) + told.get("counters-exp", 0)
    malformed = any("MALFORMED" in note for note in entry["peculiarities"])
    assert malformed or {reason for _, reason in outcome.drops} <= {"unused-record"}
