"""Health."""

from millrace.telemetry import Condition, Health, worst


def test_nothing_registered_is_ok():
    assert Health().report().status == "ok"


def test_worst_component_decides_and_each_is_shown():
    health = Health()
    health.register("receive", lambda: Condition("degraded", ("the kernel drops datagrams",)))
    health.register("store", Condition)
    report = health.report()
    assert report.status == "degraded"
    assert report.components["receive"].reasons == ("the kernel drops datagrams",)
    assert report.components["store"].status == "ok"


def test_check_that_raises_is_a_failure_with_its_reason():
    health = Health()
    health.register("store", lambda: 1 / 0)
    report = health.report()
    assert report.status == "failed"
    assert "ZeroDivisionError" in report.components["store"].reasons[0]


def test_component_that_was_stopped_no_longer_counts():
    health = Health()
    health.register("store", lambda: 1 / 0)
    health.unregister("store")
    assert health.report().status == "ok"


def test_notes_are_shown_and_alarm_nobody():
    health = Health()
    health.register("receive", lambda: worst([Condition(notes=("x", "y")), Condition(notes=("x",))]))
    report = health.report()
    assert (report.status, report.components["receive"].notes) == ("ok", ("x", "y"))
    assert worst([Condition("failed", ("no",)), Condition(notes=("x",))]) == Condition("failed", ("no",), notes=("x",))
