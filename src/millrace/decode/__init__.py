"""Decoding: datagrams and template state to flows, interface counters and counts."""

from millrace.decode.decoder import Decoder
from millrace.decode.limits import Limits
from millrace.decode.netflow.snapshot import join_snapshot
from millrace.decode.netflow.status import SAMPLING_BINDINGS, ExporterStatus
from millrace.decode.oddities import Oddity
from millrace.decode.quirks import NO_QUIRKS, Quirks, QuirksOf, no_quirks
from millrace.decode.result import Counts, Decoded, Issue
from millrace.decode.trust import STRANGER, Trust, TrustOf, no_trust

__all__ = [
    "NO_QUIRKS",
    "SAMPLING_BINDINGS",
    "STRANGER",
    "Counts",
    "Decoded",
    "Decoder",
    "ExporterStatus",
    "Issue",
    "Limits",
    "Oddity",
    "Quirks",
    "QuirksOf",
    "Trust",
    "TrustOf",
    "join_snapshot",
    "no_quirks",
    "no_trust",
]
