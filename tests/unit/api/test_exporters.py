"""Exporters over HTTP."""

import asyncio
import threading
from collections import Counter
from dataclasses import replace

import httpx
import pytest

from millrace.api import ApiSettings, create_app
from millrace.api.exporters import exporter_views
from millrace.batch import address_bytes
from millrace.enrich import Exporter, Interface, StaticMetadata
from millrace.errors import QueryError
from millrace.pipeline import Marked
from millrace.query import Asking, SeenExporter, SeenInterface

from .conftest import EDGE, NOW, QUIET, Client

EDGE_PACKED = address_bytes("192.0.2.1")


def test_exporter_with_problems_comes_first_and_says_them_and_what_to_do(client):
    quiet, edge = client.get("/api/v1/exporters").json()
    assert quiet["address"] == "2001:db8::9"
    said = " ".join(problem["what"] for problem in quiet["problems"])
    for words in (
        "Nothing was received from it since 11:45 UTC (15 minutes)",
        "no template of netflow-v9",
        "No template 300 from 2001:db8::9 (netflow-v9, domain 0) since 11:43 UTC: 12 data sets wait",
        "tells no sampling rate",
        "17 of its datagrams (1.0 %, netflow-v9) were lost",
        "60 minutes behind",
        "bad-length: set of 3 bytes",
    ):
        assert words in said
    assert all(problem["todo"] and problem["severity"] in ("error", "warning") for problem in quiet["problems"])
    assert (quiet["last_issue"], quiet["last_issue_time"]) == ("bad-length: set of 3 bytes", "2026-01-01T11:40:00.000Z")
    assert quiet["lost_share"] == pytest.approx(0.01)
    assert quiet["domains"][0]["lost_share"] == pytest.approx(0.01)
    assert (edge["name"], edge["site"], edge["problems"]) == ("edge", "par", [])
    assert (edge["last_issue"], edge["last_issue_time"], edge["lost_share"]) == ("", None, 0.0)
    assert edge["rates"] == {"flows_per_second": 10.0, "packets_per_second": 100.0, "bits_per_second": 8000.0}
    assert (edge["templates"], edge["options_templates"], edge["configured_sampling_rate"]) == (1, 1, 512)
    assert edge["sampling"][0]["rate"] == 1000
    assert (edge["last_seen"], edge["age_seconds"]) == ("2026-01-01T11:59:58.000Z", 2.0)


def test_templates_are_told_field_by_field(client):
    flows, options = client.get("/api/v1/exporters/192.0.2.1/templates").json()
    assert [field["name"] for field in flows["fields"]] == ["sourceIPv4Address", "octetDeltaCount", ""]
    assert [field["scope"] for field in options["fields"]] == [True, False]


@pytest.mark.parametrize("address", ["192.0.2.77", "nowhere", "%00", "192.0.2.1%25eth0", "9" * 60])
@pytest.mark.parametrize("rest", ["", "/templates"])
def test_unknown_exporter_is_not_found(client, address, rest):
    answer = client.get(f"/api/v1/exporters/{address}{rest}")
    assert answer.status_code == 404
    assert answer.headers["content-type"] == "application/problem+json"


def test_address_may_be_written_in_any_way(client):
    written = client.get("/api/v1/exporters/2001:0db8:0:0::9/templates")
    assert written.status_code == 200


class _Engine:
    """Answers who was seen."""

    def __init__(self, engine, interfaces):
        self._engine = engine
        self._interfaces = interfaces
        self.asked = []

    def __getattr__(self, name):
        return getattr(self._engine, name)

    def seen(self, question, asking):
        assert isinstance(asking, Asking)
        self.asked.append(question)
        exporter = SeenExporter("192.0.2.1", "", "", "", "", "", "", "2026-01-01T11:59:00Z", 9)
        exporter.interfaces = self._interfaces[question.last_seconds]
        return [exporter]


@pytest.fixture
def detail(services):
    def seen(index, name="", octets=0):
        return SeenInterface(index, name, "", 1000, "external", "2026-01-01T11:59:00Z", octets, 2 * octets, 80.0, 160.0)

    engine = _Engine(services.query, {3600: [seen(1, "et-0", 99), seen(2), seen(3)], 300: [seen(1, "et-0", 3000)]})
    metadata = StaticMetadata([Exporter("192.0.2.0/24", interfaces={4: Interface("lo0", speed_mbps=10)})])
    changed = replace(
        services,
        query=engine,
        metadata=metadata,
        interface_names=lambda: {(EDGE_PACKED, 3): ("ge-3", "transit"), (address_bytes("192.0.2.2"), 9): ("x", "")},
    )
    answer = Client(create_app(changed, ApiSettings())).get("/api/v1/exporters/192.0.2.1")
    assert answer.status_code == 200, answer.text
    return answer.json(), engine.asked


def test_one_exporter_has_its_interfaces_and_what_passes_them(detail):
    told, asked = detail
    assert told["exporter"]["address"] == "192.0.2.1"
    assert len(told["templates"]) == 2
    interfaces = {interface["index"]: interface for interface in told["interfaces"]}
    assert list(interfaces) == [1, 2, 3, 4]
    first = interfaces[1]
    assert (first["in_bits_per_second"], first["out_bits_per_second"]) == (80.0, 160.0)
    assert (first["name"], first["speed_mbps"], first["boundary"], first["seen"]) == ("et-0", 1000, "external", True)
    assert interfaces[3]["name"] == "ge-3", "as the exporter announces it"
    assert interfaces[3]["in_bits_per_second"] == 0
    assert (interfaces[4]["name"], interfaces[4]["seen"], interfaces[4]["last_seen"]) == ("lo0", False, None)
    assert {question.filter for question in asked} == {"ExporterAddress = 192.0.2.1"}


def test_interfaces_without_a_name_are_a_problem(detail):
    told, _ = detail
    assert [problem["what"] for problem in told["exporter"]["problems"]] == ["No name is known of interface 2."]


def test_implausible_flows_are_told_while_they_are_recent(services):
    marked = {EDGE.address: Marked(Counter({"packet-size": 3}), int(NOW - 60) * 10**9)}
    quiet, edge = exporter_views(replace(services, implausible=lambda: marked), [EDGE, QUIET])
    assert (quiet.implausible, edge.implausible) == ({}, {"packet-size": 3})
    (problem,) = edge.problems
    assert "3 of its flows claim more bytes than their packets can hold" in problem.what
    marked[EDGE.address].last_ns = int(NOW - 7200) * 10**9
    edge = exporter_views(replace(services, implausible=lambda: marked), [EDGE, QUIET])[1]
    assert (edge.implausible, edge.problems) == ({"packet-size": 3}, [])


def test_a_state_of_exporters_is_put_into_words_once_for_all_who_ask(services, store):
    """Of ten thousand it takes most of a second of the interpreter."""
    states, made = [[EDGE, QUIET], [EDGE]], Counter()

    def rates():
        made["views"] += 1
        return {}

    client = Client(create_app(replace(services, exporters=lambda: states[0], rates=rates), ApiSettings()))
    answers = [client.get("/api/v1/exporters", params={"limit": limit}).json() for limit in (10, 1, 10)]
    assert [len(answer) for answer in answers] == [2, 1, 2]
    assert made == {"views": 1}
    states.pop(0)
    assert [exporter["address"] for exporter in client.get("/api/v1/exporters").json()] == ["192.0.2.1"]
    assert made == {"views": 2}


@pytest.mark.parametrize("path", ["", "/192.0.2.1", "/192.0.2.1/templates", "/192.0.2.99"])
def test_who_looks_at_exporters_holds_up_nobody_else(services, store, path):
    """The decoder may take seconds to tell: other requests are answered, also where all threads for endpoints wait."""
    held, looked = threading.Event(), threading.Event()

    def exporters():
        looked.set()
        assert held.wait(10)
        return [EDGE]

    app = create_app(replace(services, exporters=exporters), ApiSettings(max_questions=2))
    store.answers = [QueryError("not of interest")] * 300

    async def ask():
        transport = httpx.ASGITransport(app)
        async with httpx.AsyncClient(transport=transport, base_url="http://127.0.0.1:8080") as client:
            looking = [asyncio.ensure_future(client.get(f"/api/v1/exporters{path}")) for _ in range(60)]
            await asyncio.to_thread(looked.wait, 10)
            answer = await asyncio.wait_for(client.get("/api/v1/columns"), 5)
            held.set()
            return answer, await asyncio.gather(*looking)

    answer, looking = asyncio.run(ask())
    assert answer.status_code == 200
    assert {found.status_code for found in looking} <= {200, 400, 404, 503}
