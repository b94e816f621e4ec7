"""What is wrong with an exporter, in plain words, and what to do about it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Literal

from millrace.batch import address_text
from millrace.decode import ExporterStatus
from millrace.decode.netflow.status import DomainStatus
from millrace.enrich import Exporter

Severity = Literal["error", "warning", "info"]
"""``error``: flows are missing or cannot be read; ``warning``: figures may be wrong; ``info``: names are missing."""

SILENT_SECONDS = 300
"""Routers export at least each minute as long as there is traffic, and most refresh templates within five."""

SKEW_SECONDS = 10.0
"""NTP keeps clocks within fractions of a second; a flow's times are off by as much as the exporter's clock."""

LOSS_SHARE = 0.01
"""From this part on, what is lost shows in graphs."""

RECENT_SECONDS = 3600
"""For so long something that was wrong once is told."""

_WAITING_SECONDS = 5
_MAX_WAITING = 3
_MAX_NAMED = 5
_TEMPLATED = frozenset({"netflow-v9", "ipfix"})
_UNITS = {"netflow-v9": "datagrams", "sflow-v5": "datagrams", "ipfix": "records"}
"""What a protocol numbers, where the status does not say what the exporter does; flows for the others."""
_UNNUMBERED = "netflow-v1"
_MINUTE, _HOUR, _DAY = 60, 3600, 86_400


@dataclass(frozen=True, slots=True)
class ExporterProblem:
    """Something that an operator should look at.

    Attributes
    ----------
    severity : {"error", "warning", "info"}
    what : str
        What is wrong, as a sentence.
    todo : str
        What to do about it.
    """

    severity: Severity
    what: str
    todo: str


def problems(
    status: ExporterStatus, configured: Exporter, now: float, implausible: Mapping[str, int] | None = None
) -> list[ExporterProblem]:
    """What an operator should look at, the worst first; nothing if all is well.

    Parameters
    ----------
    status : ExporterStatus
    configured : Exporter
        What the configuration says of it.
    now : float
        Unix seconds.
    implausible : mapping of str to int, optional
        Flows whose figures cannot be right, by reason, if the last came lately.
    """
    found = [
        *_silence(status, now),
        *_no_template(status),
        *_waiting(status, now),
        *_loss(status),
        *_sampling(status, configured),
        *_implausible(implausible or {}),
        *_clock(status),
        *_oddities(status, now),
        *_issue(status, now),
    ]
    return sorted(found, key=lambda problem: _ORDER.index(problem.severity))


def unnamed_interfaces(indexes: Sequence[int]) -> list[ExporterProblem]:
    """The same for interfaces of which flows come but no name is known."""
    if not indexes:
        return []
    shown = ", ".join(str(index) for index in indexes[:_MAX_NAMED])
    more = f" and {_count(len(indexes) - _MAX_NAMED)} more" if len(indexes) > _MAX_NAMED else ""
    return [
        ExporterProblem(
            "info",
            f"No name is known of {'interface' if len(indexes) == 1 else 'interfaces'} {shown}{more}.",
            "Have the exporter send its interface table (an options template), or name them in the configuration "
            "under exporters.",
        )
    ]


def lost_share(domains: Iterable[DomainStatus]) -> float:
    """Part of what was sent that never came, 0 to 1, by sequence numbers of streams that are known well enough."""
    lost = received = 0
    for domain in domains:
        if not domain.proven:
            continue
        lost += max(domain.lost - domain.reordered, 0)
        received += domain.received
    return lost / (received + lost) if lost else 0.0


def _silence(status: ExporterStatus, now: float) -> Iterator[ExporterProblem]:
    seconds = now - status.last_seen_ns / 1e9
    if seconds >= SILENT_SECONDS:
        yield ExporterProblem(
            "error",
            f"Nothing was received from it since {_clock_time(status.last_seen_ns, now)} ({_duration(seconds)}).",
            "Is it up, and does it still export to this address and port? Look at firewalls on the way.",
        )


def _no_template(status: ExporterStatus) -> Iterator[ExporterProblem]:
    known = {template.protocol for template in status.templates if not template.options}
    missing = sorted((_TEMPLATED & set(status.protocols)) - known)
    if missing:
        yield ExporterProblem(
            "error",
            f"It has announced no template of {' and '.join(missing)} yet, without which its flows cannot be read.",
            "Exporters repeat templates every few minutes. If none comes, look at its export configuration: "
            "templates must go to this address and port as well, and be repeated (UDP resends nothing).",
        )


def _waiting(status: ExporterStatus, now: float) -> Iterator[ExporterProblem]:
    overdue = [waiting for waiting in status.waiting if now - waiting.since_ns / 1e9 >= _WAITING_SECONDS]
    address = address_text(status.address)
    for waiting in overdue[:_MAX_WAITING]:
        sets = f"{_count(waiting.sets)} data {'set waits' if waiting.sets == 1 else 'sets wait'}"
        yield ExporterProblem(
            "error",
            f"No template {waiting.template_id} from {address} ({waiting.protocol}, domain {waiting.domain}) since "
            f"{_clock_time(waiting.since_ns, now)}: {sets}.",
            "Exporters repeat templates every few minutes, and what waits is read then. If it stays: shorten the "
            "exporter's template refresh interval to a minute, or restart its flow export.",
        )
    if len(overdue) > _MAX_WAITING:
        yield ExporterProblem(
            "error",
            f"{_count(len(overdue) - _MAX_WAITING)} more templates are waited for.",
            "Shorten the exporter's template refresh interval to a minute.",
        )


def _loss(status: ExporterStatus) -> Iterator[ExporterProblem]:
    for protocol in dict.fromkeys(domain.protocol for domain in status.domains):
        domains = [domain for domain in status.domains if domain.protocol == protocol and domain.proven]
        lost = sum(max(domain.lost - domain.reordered, 0) for domain in domains)
        if not lost:
            continue
        share = lost_share(domains)
        unit = next((domain.unit for domain in domains if domain.unit), _UNITS.get(protocol, "flows"))
        yield ExporterProblem(
            "error" if share >= LOSS_SHARE else "warning",
            f"{_count(lost)} of its {unit} ({_percent(share)}, {protocol}) were lost on the "
            "way, by their sequence numbers.",
            "Look at the kernel drops of the receiving socket first (millrace_receive_kernel_dropped_datagrams_total; "
            "a larger receive buffer helps), then at the network and the exporter's own export drops.",
        )


def _sampling(status: ExporterStatus, configured: Exporter) -> Iterator[ExporterProblem]:
    if status.sampling or configured.sampling_rate:
        return
    if not any(domain.received or domain.protocol == _UNNUMBERED for domain in status.domains):
        return  # after a start it is known from before, but has sent nothing yet
    default = configured.default_sampling_rate
    if default is None:
        yield ExporterProblem(
            "warning",
            "It tells no sampling rate: its flows are counted as they are.",
            "If it samples, have it announce the rate (a sampler table in options), or configure "
            "default_sampling_rate; if it does not sample, configure 1.",
        )
    elif default > 1:
        yield ExporterProblem(
            "info",
            f"It tells no sampling rate: the configured default of 1 in {_count(default)} is used.",
            "Keep the default in step with the exporter, or have it announce the rate.",
        )


_IMPLAUSIBLE = {
    "packet-size": (
        "more bytes than their packets can hold (65 535 each)",
        "Bytes or packets are wrong: a defect of the exporter, a template that does not fit its data, or forgery.",
    ),
    "interface-speed": (
        "more traffic than ten times what their interface can carry",
        "Check the configured speed of the interface, and the sampling rate: announced or configured.",
    ),
    "sampling-rate": (
        "a sampling rate above 1 in 16 777 216",
        "Check what the exporter announces; sampling_rate in the configuration overrides it.",
    ),
}


def _implausible(flows: Mapping[str, int]) -> Iterator[ExporterProblem]:
    for reason, amount in flows.items():
        claim, todo = _IMPLAUSIBLE[reason]
        yield ExporterProblem(
            "warning",
            f"{_count(amount)} of its flows {'claims' if amount == 1 else 'claim'} {claim}.",
            f"{todo} They are stored and counted: look at them with the filter Implausible = {reason}, and leave them "
            "out of graphs if they are bogus.",
        )


def _clock(status: ExporterStatus) -> Iterator[ExporterProblem]:
    skew = status.clock_skew_s
    if abs(skew) >= SKEW_SECONDS:
        yield ExporterProblem(
            "warning",
            f"Its clock is {_duration(abs(skew))} {'ahead of' if skew > 0 else 'behind'} this one; the start and end "
            "of its flows are off by as much.",
            "Let it use NTP, and this host too. TimeReceived is right in any case.",
        )


def _oddities(status: ExporterStatus, now: float) -> Iterator[ExporterProblem]:
    for oddity in status.oddities:
        if now - oddity.last_ns / 1e9 >= RECENT_SECONDS:
            continue
        many, last = _count(oddity.count), _clock_time(oddity.last_ns, now)
        if oddity.event == "implausible_times":
            yield ExporterProblem(
                "warning",
                f"{many} of its flows {'tells' if oddity.count == 1 else 'tell'} a start or an end that cannot be, "
                f"against the time at which they were exported (last at {last}); it is taken as unknown.",
                "Look at its clock and time zone. After a reboot it must tell the new start of its system "
                "(systemInitTimeMilliseconds in options) before flows. Some software sends Unix seconds where NTP "
                "time is due: ask for an update. TimeReceived is right in any case.",
            )
        if oddity.event == "costly_sets":
            yield ExporterProblem(
                "error",
                f"{many} of its data sets {'was' if oddity.count == 1 else 'were'} given up (last at {last}): they use "
                "so many templates for so few bytes that others would have lost flows.",
                "No usual exporter does that: somebody may forge its address. If it is yours, have it send full sets "
                "of fewer templates, or raise decode.layout_share.",
            )
        if oddity.event == "sampling_rate_jumps":
            times = "once" if oddity.count == 1 else f"{many} times"
            yield ExporterProblem(
                "warning",
                f"A sampling rate that it tells changed by more than ten times ({times}, last at {last}: "
                f"{oddity.example}); its flows count for as much more or less.",
                "Was it set anew? If not, somebody may be sending in its name: sampling_rate in the configuration "
                "overrides what is told, source_ports accepts options from its own ports only.",
            )
        if oddity.event == "short_frame_lengths":
            yield ExporterProblem(
                "warning",
                f"It tells as length of a packet only what it captured of it ({many} samples, last at {last}); of IP "
                "packets the length in their own header is taken.",
                "Packets that are not IP are counted too short. Ask the vendor to mend the frame length of its "
                "sFlow agent.",
            )


_ISSUE_TODO = {
    "untrusted-port": "Only its source_ports in the configuration may announce templates and options. If it sends from "
    "another port now, change them; if not, somebody is sending in its name.",
}
"""What to do about a reason that is no damaged datagram."""


def _issue(status: ExporterStatus, now: float) -> Iterator[ExporterProblem]:
    when = status.last_issue_ns
    if status.last_issue and (not when or now - when / 1e9 < RECENT_SECONDS):
        since = f" at {_clock_time(when, now)}" if when else ""
        yield ExporterProblem(
            "warning",
            f"The last thing that was wrong with its datagrams{since}: {status.last_issue}.",
            _ISSUE_TODO.get(
                status.last_issue.partition(":")[0],
                "The reference page on reasons says what this means. One now and then is a damaged datagram; many are "
                "a defect of the exporter or of Millrace: a capture of them helps.",
            ),
        )


def _clock_time(moment_ns: int, now: float) -> str:
    """Time of day in UTC, with the date if it is not of today."""
    moment, today = datetime.fromtimestamp(moment_ns // 10**9, UTC), datetime.fromtimestamp(now, UTC)
    return moment.strftime("%H:%M UTC" if moment.date() == today.date() else "%Y-%m-%d %H:%M UTC")


def _duration(seconds: float) -> str:
    for length, unit in ((_DAY, "days"), (_HOUR, "hours"), (_MINUTE, "minutes")):
        if seconds >= 2 * length:
            return f"{seconds / length:.0f} {unit}"
    return f"{seconds:.0f} seconds"


def _count(number: int) -> str:
    """Digits in groups of three (ISO 80000-1)."""
    return f"{number:,}".replace(",", " ")


def _percent(share: float) -> str:
    return f"{100 * share:.1f} %" if share >= 0.001 else "under 0.1 %"


_ORDER: tuple[Severity, ...] = ("error", "warning", "info")
