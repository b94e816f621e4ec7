"""What is wrong with an exporter, in words."""

from dataclasses import replace

import pytest

from millrace.batch import address_bytes
from millrace.decode import ExporterStatus, Oddity
from millrace.decode.netflow.status import DomainStatus, SamplingStatus, TemplateStatus, WaitingStatus
from millrace.enrich import Exporter
from millrace.query import lost_share, problems, unnamed_interfaces
from millrace.schema import IMPLAUSIBLE

NOW = 1_767_268_800.0
"""2026-01-01T12:00:00Z."""

NS = 1_000_000_000
PLAIN = Exporter("::/0")

FINE = ExporterStatus(
    address=address_bytes("192.0.2.1"),
    protocols=("ipfix",),
    domains=(DomainStatus("ipfix", 7, int(NOW - 2) * NS, 5, 5, 0.5, 1000),),
    templates=(TemplateStatus("ipfix", 7, 256, False, 0, ((8, 0, 4),), int(NOW - 60) * NS, 58.0),),
    sampling=(SamplingStatus("ipfix", 7, "domain", 0, 1000, "options"),),
    last_seen_ns=int(NOW - 2) * NS,
    lost=5,
    reordered=5,
    clock_skew_s=0.5,
    waiting=(),
    applications=0,
    interfaces=2,
    last_issue="",
)


def found(status, configured=PLAIN):
    return [(problem.severity, problem.what) for problem in problems(status, configured, NOW)]


def lossy(lost, received, protocol="ipfix"):
    return replace(FINE, domains=(DomainStatus(protocol, 7, FINE.last_seen_ns, lost, 0, 0.0, received),))


def test_an_exporter_that_is_well_has_no_problems():
    assert found(FINE) == []


def test_waiting_data_sets_name_template_exporter_domain_time_and_number():
    status = replace(FINE, waiting=(WaitingStatus("ipfix", 0, 256, 1204, 99, int(NOW - 118 * 60) * NS),))
    (problem,) = problems(status, PLAIN, NOW)
    assert problem.severity == "error"
    assert problem.what == "No template 256 from 192.0.2.1 (ipfix, domain 0) since 10:02 UTC: 1 204 data sets wait."
    assert problem.todo.startswith("Exporters repeat templates every few minutes")


def test_many_missing_templates_are_summed_up():
    waiting = tuple(WaitingStatus("ipfix", 0, 256 + n, 1, 9, int(NOW - 60) * NS) for n in range(10))
    assert [what for _, what in found(replace(FINE, waiting=waiting))][-1] == "7 more templates are waited for."


def test_what_waits_for_a_moment_is_no_problem_yet():
    assert found(replace(FINE, waiting=(WaitingStatus("ipfix", 0, 256, 1, 9, int(NOW - 1) * NS),))) == []


def test_time_of_another_day_has_its_date():
    status = replace(FINE, last_seen_ns=int(NOW - 3 * 86_400) * NS)
    assert found(status) == [("error", "Nothing was received from it since 2025-12-29 12:00 UTC (3 days).")]


def test_template_that_was_never_announced():
    ((severity, what),) = found(replace(FINE, templates=()))
    assert severity == "error"
    assert "announced no template of ipfix" in what


@pytest.mark.parametrize(
    ("lost", "received", "severity", "share"),
    [(1, 99, "error", "1.0 %"), (1, 999, "warning", "0.1 %"), (1, 10**6, "warning", "under 0.1 %")],
)
def test_loss_is_told_as_a_share(lost, received, severity, share):
    ((said, what),) = found(lossy(lost, received))
    assert said == severity
    assert share in what
    assert "records" in what


def test_loss_is_counted_in_what_the_protocol_numbers():
    for protocol, unit in (("netflow-v5", "flows"), ("netflow-v9", "datagrams"), ("sflow-v5", "datagrams")):
        assert f"1 of its {unit} " in found(lossy(1, 10, protocol))[0][1]


def test_lost_share():
    assert lost_share([]) == 0
    assert lost_share(lossy(25, 75).domains) == 0.25
    assert lost_share(FINE.domains) == 0, "what came late is not lost"


@pytest.mark.parametrize(
    ("configured", "said"),
    [
        ({}, [("warning", "It tells no sampling rate: its flows are counted as they are.")]),
        (
            {"default_sampling_rate": 2048},
            [("info", "It tells no sampling rate: the configured default of 1 in 2 048 is used.")],
        ),
        ({"default_sampling_rate": 1}, []),
        ({"sampling_rate": 100}, []),
    ],
)
def test_sampling_rate_that_nobody_tells(configured, said):
    assert found(replace(FINE, sampling=()), Exporter("::/0", **configured)) == said


@pytest.mark.parametrize(("skew", "words"), [(3600.0, "60 minutes ahead of"), (-30.0, "30 seconds behind")])
def test_clock_that_is_off(skew, words):
    ((severity, what),) = found(replace(FINE, clock_skew_s=skew))
    assert (severity, words in what) == ("warning", True)


def test_last_issue_is_told_for_an_hour():
    issue = replace(FINE, last_issue="bad-length: set of 3 bytes", last_issue_ns=int(NOW - 600) * NS)
    ((severity, what),) = found(issue)
    assert severity == "warning"
    assert "at 11:50 UTC: bad-length: set of 3 bytes." in what
    assert found(replace(issue, last_issue_ns=int(NOW - 7200) * NS)) == []


def test_templates_from_a_port_that_is_not_its_own_are_told_with_the_setting():
    detail = "untrusted-port: templates from port 7, not one of its own"
    (problem,) = problems(replace(FINE, last_issue=detail, last_issue_ns=int(NOW - 6) * NS), PLAIN, NOW)
    assert "templates from port 7" in problem.what
    assert "source_ports" in problem.todo
    assert "damaged" not in problem.todo


def test_the_worst_comes_first():
    status = replace(lossy(1, 10**6), sampling=(), templates=(), clock_skew_s=99.0)
    severities = [severity for severity, _ in found(status, Exporter("::/0", default_sampling_rate=10))]
    assert severities == ["error", "warning", "warning", "info"]


@pytest.mark.parametrize(
    ("indexes", "words"),
    [([7], "interface 7."), ([1, 2], "interfaces 1, 2."), (list(range(9)), "interfaces 0, 1, 2, 3, 4 and 4 more.")],
)
def test_interfaces_without_a_name(indexes, words):
    (problem,) = unnamed_interfaces(indexes)
    assert problem.severity == "info"
    assert problem.what.endswith(words)


def test_no_interface_without_a_name_is_no_problem():
    assert unnamed_interfaces([]) == []


@pytest.mark.parametrize("reason", IMPLAUSIBLE[1:])
def test_implausible_flows_are_told_with_the_filter_that_shows_them(reason):
    (one,) = problems(FINE, PLAIN, NOW, {reason: 1})
    (many,) = problems(FINE, PLAIN, NOW, {reason: 12_345})
    assert one.severity == many.severity == "warning"
    assert one.what.startswith("1 of its flows claims ")
    assert "345 of its flows claim " in many.what
    assert f"Implausible = {reason}" in many.todo
    assert problems(FINE, PLAIN, NOW, {}) == []


def odd(event, count, seconds_ago=60):
    return replace(FINE, oddities=(Oddity(event, count, int(NOW - seconds_ago) * NS),))


def test_times_that_cannot_be_are_told_while_they_come():
    ((severity, what),) = found(odd("implausible_times", 1234))
    assert severity == "warning"
    assert what.startswith("1 234 of its flows tell a start or an end that cannot be")
    assert "last at 11:59 UTC" in what
    assert found(odd("implausible_times", 1234, 3600)) == []


def test_a_sampling_rate_that_jumps_is_told():
    example = "domain 0 told 1 in 100, then 1 in 100000"
    jumped = replace(FINE, oddities=(Oddity("sampling_rate_jumps", 3, int(NOW - 60) * NS, example),))
    ((severity, what),) = found(jumped)
    assert severity == "warning"
    assert what.startswith("A sampling rate that it tells changed by more than ten times (3 times, last at 11:59 UTC")
    assert example in what


def test_frame_lengths_of_what_was_captured_are_told():
    ((severity, what),) = found(odd("short_frame_lengths", 7))
    assert severity == "warning"
    assert "only what it captured of it (7 samples" in what


def test_data_sets_that_cost_more_time_than_there_is_are_told():
    ((severity, what),) = found(odd("costly_sets", 12_345))
    assert severity == "error"
    assert what.startswith("12 345 of its data sets were given up (last at 11:59 UTC)")
    assert found(odd("costly_sets", 12_345, 3600)) == []
