"""State of the collector over HTTP."""

import asyncio
import threading
from collections import Counter
from dataclasses import replace

import httpx
import pytest

from millrace.api import ApiSettings, create_app
from millrace.errors import QueryError
from millrace.telemetry import Condition

from .conftest import SCHEMA


def test_health_tells_the_worst_and_why(client, services):
    services.health.register("receive", lambda: Condition("degraded", ("the kernel drops datagrams",)))
    answer = client.get("/health")
    assert answer.status_code == 200
    assert answer.json() == {
        "status": "degraded",
        "components": {
            "receive": {
                "status": "degraded",
                "reasons": ["the kernel drops datagrams"],
                "last_error": "",
                "last_error_at": None,
                "notes": [],
            }
        },
    }
    services.health.register("store", lambda: Condition("failed", ("disk full",)))
    assert client.get("/healthz").status_code == 503


def test_metrics_are_prometheus_text(client, services):
    services.metrics.counter("api", "things", "Things.").inc(2)
    answer = client.get("/metrics")
    assert answer.headers["content-type"].startswith("text/plain; version=")
    assert "millrace_api_things_total 2.0" in answer.text


def test_metrics_that_take_long_are_rendered_once_for_all_who_ask_meanwhile(services):
    """Who gives up and asks again made all wait longer, until nobody got an answer."""
    began, go_on = Counter(), threading.Event()

    def slow():
        began["renderings"] += 1
        go_on.wait(5)
        return [((), 1.0)]

    services.metrics.callback("gauge", "api", "slow", "Slow.", slow)
    app = create_app(services, ApiSettings())

    async def scrape():
        transport = httpx.ASGITransport(app)
        async with httpx.AsyncClient(transport=transport, base_url="http://localhost") as client:
            impatient = asyncio.create_task(client.get("/metrics"))
            await asyncio.sleep(0.1)
            impatient.cancel()
            others = [asyncio.create_task(client.get("/metrics")) for _ in range(10)]
            await asyncio.sleep(0.1)
            go_on.set()
            answers = await asyncio.gather(*others)
            return answers, await client.get("/metrics")

    answers, later = asyncio.run(scrape())
    assert {answer.status_code for answer in (*answers, later)} == {200}
    assert all("millrace_api_slow 1.0" in answer.text for answer in (*answers, later))
    assert began == {"renderings": 2}


def test_columns_tell_what_may_be_asked(client):
    columns = {column["name"]: column for column in client.get("/api/v1/columns").json()}
    assert list(columns) == list(SCHEMA.names)
    assert "<<" in columns["SrcAddr"]["operators"]
    assert columns["FlowDirection"]["values"] == ["undefined", "ingress", "egress"]
    assert (columns["SrcAS"]["rolled_up"], columns["SrcPort"]["rolled_up"]) == (True, False)


def test_store_and_status_are_what_the_wiring_says(client):
    assert client.get("/api/v1/store").json()["tables"]["flows"]["rows"] == 3
    assert client.get("/api/v1/status").json() == {"version": "1.2.3", "health": "ok", "stored_flows": 3}


def test_listing_of_endpoints_loads_nothing_from_elsewhere(client):
    answer = client.get("/api/docs")
    assert answer.status_code == 200
    assert "POST /api/v1/flows/top" in answer.text
    assert "InIfBoundary = external" in answer.text
    text = answer.text.replace("http://127.0.0.1:8080", "")
    assert "http://" not in text
    assert "https://" not in text
    assert "<script" not in text
    assert answer.headers["content-security-policy"].startswith("default-src 'none'")


@pytest.mark.parametrize("path", ["/nothing", "/docs/../app.py", "/static/page.js", "/api/v1/nothing", "/api/nothing"])
def test_other_paths_are_not_found(client, path):
    answer = client.get(path)
    assert (answer.status_code, answer.headers["content-type"]) == (404, "application/problem+json")


def test_responses_carry_headers_for_browsers_once(client):
    for path in ("/health", "/api/v1/columns", "/nothing", "/api/docs"):
        headers = client.get(path).headers
        assert headers.get_list("x-content-type-options") == ["nosniff"]
        assert headers.get_list("cross-origin-resource-policy") == ["same-origin"]
        assert len(headers.get_list("content-security-policy")) == 1
        assert headers.get_list("cache-control") == ["no-store"]
        assert "access-control-allow-origin" not in headers


def test_openapi_has_examples_and_problems(client):
    paths = client.get("/api/v1/openapi.json").json()["paths"]
    for name in ("series", "top", "sankey", "heatmap", "table", "search"):
        operation = paths[f"/api/v1/flows/{name}"]["post"]
        assert operation["requestBody"]["content"]["application/json"]["examples"]
        for status in ("400", "401", "403", "413", "422", "503", "504"):
            assert list(operation["responses"][status]["content"]) == ["application/problem+json"]


def test_examples_of_the_documentation_are_valid(client, store):
    paths = client.get("/api/v1/openapi.json").json()["paths"]
    for path, methods in paths.items():
        examples = methods.get("post", {}).get("requestBody", {}).get("content", {}).get("application/json", {})
        for example in examples.get("examples", {}).values():
            store.answers = [RuntimeError("asked")] * 4
            answer = client.post(path, json=example["value"])
            if path.startswith("/api/v1/flows/"):
                assert answer.status_code == 500
                assert len(store.asked) > 0
            else:
                # Completion asks for recent values.
                assert answer.status_code in (200, 500), answer.text
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


def test_health_and_questions_are_answered_where_every_thread_for_endpoints_waits(services, store):
    """Endpoints that ask the database wait in forty threads: as many requests must not be all that a server can do."""
    free = threading.Event()

    def status():
        assert free.wait(20)
        return {}

    app = create_app(replace(services, status=status), ApiSettings())
    store.answers = [QueryError("not of interest")] * 10

    async def ask():
        transport = httpx.ASGITransport(app)
        async with httpx.AsyncClient(transport=transport, base_url="http://127.0.0.1:8080") as client:
            waiting = [asyncio.ensure_future(client.get("/api/v1/status")) for _ in range(60)]
            await asyncio.sleep(0.3)
            try:
                health = await asyncio.wait_for(client.get("/health"), 5)
                found = await asyncio.wait_for(client.post("/api/v1/flows/search", json={}), 5)
                shown = await asyncio.wait_for(client.get("/api/v1/exporters"), 5)
            finally:
                free.set()
            await asyncio.gather(*waiting)
            return health, found, shown

    assert [answer.status_code for answer in asyncio.run(ask())] == [200, 400, 200]
