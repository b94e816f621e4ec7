"""The HTTP interface with real access, in this process, and browsers that use it."""

import asyncio
from dataclasses import replace

import httpx

from millrace.access import Access, AccessSettings, filter_check
from millrace.api import ApiSettings, create_app
from millrace.api.gate import Gate
from millrace.schema import Schema
from millrace.state import NewUser, State, StateSettings

PASSWORD = "correct horse battery"
ORIGIN = "http://127.0.0.1:8080"
LIMIT = 'InIfProvider = "a"'
API = "/api/v1"

QUICK = {"memory_kib": 8, "iterations": 1, "lanes": 1}
"""Parameters of Argon2 that cost nothing."""

USERS = (
    NewUser("alice", "admin", "Alice", "alice@example.org"),
    NewUser("eve", "editor"),
    NewUser("victor", "viewer"),
    NewUser("tina", "viewer", scope_filter=LIMIT),
    NewUser("ted", "editor", scope_filter='InIfProvider = "b"'),
)


class Clock:
    """Time that stands still until a test moves it."""

    def __init__(self, now=1_767_268_800.0):
        self.now = now

    def __call__(self):
        return self.now

    def move(self, seconds):
        self.now += seconds


class Console:
    """The application, its access, and its state in a folder.

    Parameters
    ----------
    services : Services
    folder : Path
    clock : Clock
    settings : keywords
        Of access.
    """

    def __init__(self, services, folder, clock, transport=None, **settings):
        settings.setdefault("mode", "login")
        settings.setdefault("password", QUICK)
        self.state = State(StateSettings(), folder)
        self.access = Access(
            AccessSettings.model_validate(settings),
            self.state,
            filter_check(Schema()),
            clock=clock,
            steady=clock,
            transport=transport,
        )
        self.app = create_app(replace(services, authenticator=Gate(self.access)), ApiSettings(allowed_hosts=["*"]))

    def start(self):
        self.state.start()
        self.access.start()

    def stop(self):
        self.state.stop()

    def add_users(self):
        for user in USERS:
            self.access.users.add(user, PASSWORD)

    def browser(self, name=None, **options):
        """A browser; logged in if a user is named."""
        browser = Browser(self.app, **options)
        if name is not None:
            assert browser.login(name).status_code == 200
        return browser


class Browser:
    """Keeps cookies, and sends what browsers send of themselves; `csrf` is what its page knows."""

    def __init__(self, app, peer="127.0.0.1", base=ORIGIN, headers=None):
        self._app = app
        self._peer = peer
        self._base = base
        self.headers = dict(headers or {})
        self.cookies = httpx.Cookies()
        self.csrf = ""

    def login(self, name, password=PASSWORD):
        answer = self.post(f"{API}/session", json={"name": name, "password": password})
        if answer.status_code == 200:
            self.csrf = answer.json()["csrf_token"]
        return answer

    def get(self, path, **options):
        return self.send("GET", path, **options)

    def post(self, path, **options):
        return self.send("POST", path, **options)

    def patch(self, path, **options):
        return self.send("PATCH", path, **options)

    def delete(self, path, **options):
        return self.send("DELETE", path, **options)

    def send(self, method, path, headers=None, **options):
        sent = {**self.headers}
        if method != "GET":
            sent["origin"] = self._base
            if self.csrf:
                sent["x-csrf-token"] = self.csrf
        sent |= headers or {}
        sent = {name: value for name, value in sent.items() if value is not None}

        async def request():
            transport = httpx.ASGITransport(self._app, raise_app_exceptions=False, client=(self._peer, 50_000))
            async with httpx.AsyncClient(transport=transport, base_url=self._base, cookies=self.cookies) as client:
                answer = await client.request(method, path, headers=sent, **options)
                self.cookies = client.cookies
                return answer

        return asyncio.run(request())
