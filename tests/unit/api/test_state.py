"""State of the collector over HTTP."""

import pytest

from millrace.api import ApiSettings
from millrace.telemetry import Condition

from .conftest import SCHEMA


def test_health_tells_the_worst_and_why(client, services):
    services.health.register("receive", lambda: Condition("degraded", ("the kernel drops datagrams",)))
    answer = client.get("/health")
    assert answer.status_code == 200
    assert answer.json() == {
        "status": "degraded",
        "components": {"receive": {"status": "degraded", "reasons": ["the kernel drops datagrams"]}},
    }
    services.health.register("store", lambda: Condition("failed", ("disk full",)))
    assert client.get("/healthz").status_code == 503


def test_metrics_are_prometheus_text(client, services):
    services.metrics.counter("api", "things", "Things.").inc(2)
    answer = client.get("/metrics")
    assert answer.headers["content-type"].startswith("text/plain; version=")
    assert "millrace_api_things_total 2.0" in answer.text


def test_exporter_with_problems_comes_first_and_says_them(client):
    quiet, edge = client.get("/api/v1/exporters").json()
    assert quiet["address"] == "2001:db8::9"
    text = " ".join(quiet["problems"])
    for words in (
        "Nothing was received from it for 15 minutes",
        "no template of netflow-v9",
        "12 data sets wait for template 300 of netflow-v9 domain 0, the first for 17 minutes",
        "tells no sampling rate",
        "17 of its flows or datagrams were lost",
        "60 minutes behind",
        "bad-length: set of 3 bytes",
    ):
        assert words in text
    assert (edge["name"], edge["site"], edge["problems"]) == ("edge", "par", [])
    assert edge["rates"] == {"flows_per_second": 10.0, "packets_per_second": 100.0, "bits_per_second": 8000.0}
    assert (edge["templates"], edge["options_templates"], edge["configured_sampling_rate"]) == (1, 1, 512)
    assert edge["sampling"][0]["rate"] == 1000
    assert (edge["last_seen"], edge["age_seconds"]) == ("2026-01-01T11:59:58.000Z", 2.0)


def test_templates_are_told_field_by_field(client):
    flows, options = client.get("/api/v1/exporters/192.0.2.1/templates").json()
    assert [field["name"] for field in flows["fields"]] == ["sourceIPv4Address", "octetDeltaCount", ""]
    assert [field["scope"] for field in options["fields"]] == [True, False]


def test_unknown_exporter_is_a_problem(client):
    answer = client.get("/api/v1/exporters/192.0.2.77/templates")
    assert answer.status_code == 400
    assert "192.0.2.77" in answer.json()["detail"]


def test_columns_tell_what_may_be_asked(client):
    columns = {column["name"]: column for column in client.get("/api/v1/columns").json()}
    assert list(columns) == list(SCHEMA.names)
    assert "<<" in columns["SrcAddr"]["operators"]
    assert columns["FlowDirection"]["values"] == ["undefined", "ingress", "egress"]
    assert (columns["SrcAS"]["rolled_up"], columns["SrcPort"]["rolled_up"]) == (True, False)


def test_store_and_status_are_what_the_wiring_says(client):
    assert client.get("/api/v1/store").json()["tables"]["flows"]["rows"] == 3
    assert client.get("/api/v1/status").json() == {"version": "1.2.3", "health": "ok", "stored_flows": 3}


def test_pages_load_nothing_from_elsewhere(client):
    for path in ("/", "/docs", "/static/page.js", "/static/page.css", "/static/icon.svg"):
        answer = client.get(path)
        assert answer.status_code == 200
        text = answer.text.replace("http://www.w3.org/2000/svg", "").replace("http://127.0.0.1:8080", "")
        assert "http://" not in text
        assert "https://" not in text
        assert "'self'" in answer.headers["content-security-policy"]
    assert "POST /api/v1/flows/top" in client.get("/docs").text


@pytest.mark.parametrize("path", ["/nothing", "/static/../app.py", "/static/%2e%2e/app.py", "/static/app.py"])
def test_other_paths_are_not_found(client, path):
    assert client.get(path).status_code == 404


def test_openapi_has_examples_and_problems(client):
    paths = client.get("/api/v1/openapi.json").json()["paths"]
    for name in ("series", "top", "search"):
        operation = paths[f"/api/v1/flows/{name}"]["post"]
        assert operation["requestBody"]["content"]["application/json"]["examples"]
        assert {"400", "422", "503"} <= set(operation["responses"])


def test_examples_of_the_documentation_are_valid(client, store):
    paths = client.get("/api/v1/openapi.json").json()["paths"]
    for path, methods in paths.items():
        examples = methods.get("post", {}).get("requestBody", {}).get("content", {}).get("application/json", {})
        for example in examples.get("examples", {}).values():
            store.answers = [RuntimeError("asked")]
            assert client.post(path, json=example["value"]).status_code == 500
            assert len(store.asked) > 0
            store.asked.clear()


@pytest.mark.parametrize("host", ["evil.example", "127.0.0.1.evil.example", "", "localhost.", "[::2]:8080"])
def test_foreign_host_names_are_refused_on_loopback(client, host):
    """A web page may point a name of its own at 127.0.0.1 (DNS rebinding)."""
    answer = client.get("/health", headers={"Host": host})
    assert answer.status_code == 421
    assert "api.allowed_hosts" in answer.json()["detail"]


@pytest.mark.parametrize("host", ["localhost", "LOCALHOST:8080", "127.0.0.1:80", "[::1]:8080", "[::1]"])
def test_loopback_names_are_answered(client, host):
    assert client.get("/health", headers={"Host": host}).status_code == 200


@pytest.mark.parametrize(
    ("settings", "hosts"),
    [
        (ApiSettings(), ["localhost", "127.0.0.1", "::1"]),
        (ApiSettings(host="0.0.0.0"), ["*"]),
        (ApiSettings(host="0.0.0.0", allowed_hosts=("flows.example",)), ["flows.example"]),
    ],
)
def test_answered_host_names(settings, hosts):
    assert settings.hosts() == hosts


def test_loopback_is_the_default():
    assert ApiSettings().host == "127.0.0.1"
