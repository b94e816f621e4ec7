"""What is wrong with an exporter, in words that say what to do."""

from __future__ import annotations

from millrace.decode import ExporterStatus
from millrace.enrich import Exporter

SILENT_SECONDS = 300
"""Routers export at least each minute as long as there is traffic, and most refresh templates within five."""

SKEW_SECONDS = 10.0
"""NTP keeps clocks within fractions of a second; a flow's times are off by as much as the exporter's clock."""

_WAITING_SECONDS = 5
_MAX_WAITING = 3
_TEMPLATED = frozenset({"netflow-v9", "ipfix"})


def problems(status: ExporterStatus, configured: Exporter, now: float) -> list[str]:
    """Sentences about what an operator should look at; none if all is well.

    Parameters
    ----------
    status : ExporterStatus
    configured : Exporter
        What the configuration says of it.
    now : float
        Unix seconds.
    """
    found = [_silence(status, now), _no_template(status), *_waiting(status, now), _sampling(status, configured)]
    found += [_loss(status), _clock(status)]
    if status.last_issue:
        found.append(f"The last thing that was wrong with its datagrams: {status.last_issue}.")
    return [sentence for sentence in found if sentence]


def _silence(status: ExporterStatus, now: float) -> str:
    seconds = now - status.last_seen_ns / 1e9
    return f"Nothing was received from it for {_duration(seconds)}." if seconds >= SILENT_SECONDS else ""


def _no_template(status: ExporterStatus) -> str:
    templated = sorted(_TEMPLATED & set(status.protocols))
    known = {template.protocol for template in status.templates if not template.options}
    missing = [protocol for protocol in templated if protocol not in known]
    if not missing:
        return ""
    return f"It has announced no template of {' and '.join(missing)} yet, without which its flows cannot be read."


def _waiting(status: ExporterStatus, now: float) -> list[str]:
    overdue = [waiting for waiting in status.waiting if now - waiting.since_ns / 1e9 >= _WAITING_SECONDS]
    sentences = [
        f"{waiting.sets} data sets wait for template {waiting.template_id} of {waiting.protocol} domain "
        f"{waiting.domain}, the first for {_duration(now - waiting.since_ns / 1e9)}: shorten the exporter's "
        "template refresh interval."
        for waiting in overdue[:_MAX_WAITING]
    ]
    if len(overdue) > _MAX_WAITING:
        sentences.append(f"{len(overdue) - _MAX_WAITING} more templates are waited for.")
    return sentences


def _sampling(status: ExporterStatus, configured: Exporter) -> str:
    if status.sampling or configured.sampling_rate or configured.default_sampling_rate:
        return ""
    return (
        "It tells no sampling rate: its flows are counted as they are. If it samples, configure "
        "default_sampling_rate; if not, configure 1."
    )


def _loss(status: ExporterStatus) -> str:
    lost = status.lost - status.reordered
    if lost <= 0:
        return ""
    return (
        f"{lost} of its flows or datagrams were lost on the way, by their sequence numbers: look at "
        "the network and at kernel drops of the receiving socket."
    )


def _clock(status: ExporterStatus) -> str:
    skew = status.clock_skew_s
    if abs(skew) < SKEW_SECONDS:
        return ""
    return f"Its clock is {_duration(abs(skew))} {'ahead of' if skew > 0 else 'behind'} this one: does it use NTP?"


def _duration(seconds: float) -> str:
    for length, unit in ((86_400, "days"), (3600, "hours"), (60, "minutes")):
        if seconds >= 2 * length:
            return f"{seconds / length:.0f} {unit}"
    return f"{seconds:.0f} seconds"
