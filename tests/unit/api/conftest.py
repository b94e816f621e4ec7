"""The application over a store that answers what a test says."""

import asyncio

import httpx
import pyarrow as pa
import pytest
import structlog

from millrace.api import ApiSettings, Services, create_app
from millrace.batch import address_bytes
from millrace.decode import ExporterStatus
from millrace.decode.netflow.status import DomainStatus, SamplingStatus, TemplateStatus, WaitingStatus
from millrace.enrich import Exporter, StaticMetadata
from millrace.pipeline import LiveHub, Rate
from millrace.query import QueryEngine, Table
from millrace.schema import Schema
from millrace.telemetry import Health, Metrics

NOW = 1_767_268_800.0
"""2026-01-01T12:00:00Z."""

NS = 1_000_000_000

SCHEMA = Schema()

EDGE = ExporterStatus(
    address=address_bytes("192.0.2.1"),
    protocols=("ipfix",),
    domains=(DomainStatus("ipfix", 7, int(NOW - 2) * NS, 1, 1, 0.5, 900),),
    templates=(
        TemplateStatus("ipfix", 7, 256, False, 0, ((8, 0, 4), (1, 0, 8), (9, 99, 65535)), int(NOW - 60) * NS, 58.0),
        TemplateStatus("ipfix", 7, 257, True, 1, ((10, 0, 4), (82, 0, 65535)), int(NOW - 60) * NS, 58.0),
    ),
    sampling=(SamplingStatus("ipfix", 7, "domain", 0, 1000, "options"),),
    last_seen_ns=int(NOW - 2) * NS,
    lost=0,
    reordered=0,
    clock_skew_s=0.5,
    waiting=(),
    applications=0,
    interfaces=2,
    last_issue="",
)
QUIET = ExporterStatus(
    address=address_bytes("2001:db8::9"),
    protocols=("netflow-v9",),
    domains=(DomainStatus("netflow-v9", 0, int(NOW - 900) * NS, 20, 3, -3600.0, 1683),),
    templates=(),
    sampling=(),
    last_seen_ns=int(NOW - 900) * NS,
    lost=20,
    reordered=3,
    clock_skew_s=-3600.0,
    waiting=(WaitingStatus("netflow-v9", 0, 300, 12, 9000, int(NOW - 1000) * NS),),
    applications=0,
    interfaces=0,
    last_issue="bad-length: set of 3 bytes",
    last_issue_ns=int(NOW - 1200) * NS,
)


class Client:
    """Speaks HTTP to an application in this process."""

    def __init__(self, app, base_url="http://127.0.0.1:8080"):
        self._app = app
        self._base_url = base_url

    def get(self, path, **options):
        return self._request("GET", path, **options)

    def post(self, path, **options):
        return self._request("POST", path, **options)

    def _request(self, method, path, **options):
        async def request():
            transport = httpx.ASGITransport(self._app, raise_app_exceptions=False)
            async with httpx.AsyncClient(transport=transport, base_url=self._base_url) as client:
                return await client.request(method, path, **options)

        return asyncio.run(request())


class FakeStore:
    """Answers with prepared tables, in turn; keeps what it was asked."""

    def __init__(self):
        self.answers = []
        self.asked = []

    def query(self, sql, parameters, *, cancel=None, typed=True):
        self.asked.append((sql, parameters))
        answer = self.answers.pop(0)
        if isinstance(answer, Exception):
            raise answer
        return answer() if callable(answer) else pa.table(answer)


@pytest.fixture(autouse=True)
def logs():
    with structlog.testing.capture_logs() as logs:
        yield logs


@pytest.fixture(scope="module")
def services():
    """Made once per module, as routes take a while to build; `store` resets what tests change."""
    return Services(
        schema=SCHEMA,
        query=QueryEngine(FakeStore(), SCHEMA, lambda: [Table("flows")]),
        exporters=lambda: [EDGE, QUIET],
        rates=lambda: {EDGE.address: Rate(10.0, 100.0, 8000.0)},
        metrics=Metrics(),
        health=Health(),
        live=LiveHub(),
        store=lambda: {"tables": {"flows": {"rows": 3}}},
        status=lambda: {"stored_flows": 3},
        version="1.2.3",
        metadata=StaticMetadata([Exporter("192.0.2.0/24", name="edge", site="par", default_sampling_rate=512)]),
        now=lambda: NOW,
    )


@pytest.fixture(scope="module")
def app(services):
    return create_app(services, ApiSettings())


@pytest.fixture
def store(services):
    yield services.query._store
    services.query._store.__init__()
    for component in services.health.report().components:
        services.health.unregister(component)


@pytest.fixture
def client(app, store):
    return Client(app)
