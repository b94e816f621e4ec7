"""Nobody takes the threads of the endpoints from everybody else, and strangers keep nobody waiting who watches."""

import asyncio
import threading
from collections import Counter

import httpx
import pytest

from browsers import API, Clock, Console
from millrace.api import ApiSettings, filter_routes, live_routes
from millrace.api.turns import AT_ONCE, PRESENT, Turns
from millrace.lang import Everything
from millrace.telemetry import Condition

SECONDS = 10
MANY = 60
"""More than there are threads."""


@pytest.fixture
def console(services, tmp_path):
    console = Console(services, tmp_path, Clock())
    console.start()
    console.add_users()
    yield console
    console.stop()


@pytest.fixture
def go_on():
    event = threading.Event()
    yield event
    event.set()


class Page:
    """Requests of a browser, several at the same time."""

    def __init__(self, console, name="", headers=None):
        browser = console.browser(name) if name else None
        self.headers = dict(headers or {})
        if browser is not None:
            cookies = "; ".join(f"{key}={value}" for key, value in browser.cookies.items())
            self.headers |= {"cookie": cookies, "x-csrf-token": browser.csrf, "origin": "http://localhost"}
        self._app = console.app

    async def ask(self, method, path, **options):
        transport = httpx.ASGITransport(self._app, raise_app_exceptions=False)
        async with httpx.AsyncClient(transport=transport, base_url="http://localhost", headers=self.headers) as client:
            return await client.request(method, path, **options)


async def until(condition):
    async with asyncio.timeout(SECONDS):
        while not condition():
            await asyncio.sleep(0.01)
    await asyncio.sleep(0.1)  # what is beyond the bound would come now


def ended(tasks):
    return sum(task.done() for task in tasks)


def test_one_client_s_requests_leave_threads_for_everybody_else(console, go_on, monkeypatch):
    victor, eve = Page(console, "victor"), Page(console, "eve")
    running, most = [], []
    parse = filter_routes.parse

    def slow(*given):
        running.append(1)
        most.append(len(running))
        go_on.wait(10)
        running.pop()
        return parse(*given)

    monkeypatch.setattr(filter_routes, "parse", slow)

    async def attack():
        check = {"json": {"text": "SrcAS = 1"}}
        asked = [asyncio.create_task(victor.ask("POST", f"{API}/filter/check", **check)) for _ in range(MANY)]
        await until(lambda: len(running) >= AT_ONCE)
        answer = await asyncio.wait_for(eve.ask("GET", f"{API}/columns"), SECONDS)
        assert not ended(asked)
        go_on.set()
        return answer, await asyncio.gather(*asked)

    answer, answers = asyncio.run(attack())
    assert answer.status_code == 200
    assert max(most) == AT_ONCE
    assert {each.status_code for each in answers} == {200}


def test_a_client_s_requests_do_not_wait_without_end(console, go_on, monkeypatch):
    """Each holds one of the connections that all share."""
    victor = Page(console, "victor")
    parse = filter_routes.parse
    monkeypatch.setattr(filter_routes, "parse", lambda *given: go_on.wait(10) and parse(*given))

    async def attack():
        check = {"json": {"text": "SrcAS = 1"}}
        asked = [asyncio.create_task(victor.ask("POST", f"{API}/filter/check", **check)) for _ in range(PRESENT + 7)]
        await until(lambda: ended(asked) >= 7)
        refused = [task.result() for task in asked if task.done()]
        go_on.set()
        await asyncio.gather(*asked)
        return refused

    refused = asyncio.run(attack())
    assert {(answer.status_code, answer.headers["retry-after"]) for answer in refused} == {(503, "2")}
    assert len(refused) == 7


def test_no_more_live_streams_are_begun_than_a_client_has_places(console, go_on, monkeypatch):
    """Their filters are read in the same threads."""
    victor, eve = Page(console, "victor"), Page(console, "eve")
    monkeypatch.setattr(live_routes, "parse", lambda *_: go_on.wait(10) and Everything())
    console.app.state.stopping = True  # streams end at once
    places = ApiSettings().max_live_clients // 2

    async def attack():
        asked = [asyncio.create_task(victor.ask("GET", f"{API}/flows/live")) for _ in range(MANY)]
        await until(lambda: ended(asked) >= MANY - places)
        answer = await asyncio.wait_for(eve.ask("GET", f"{API}/columns"), SECONDS)
        refused = ended(asked)
        go_on.set()
        return answer, refused, await asyncio.gather(*asked)

    answer, refused, answers = asyncio.run(attack())
    assert answer.status_code == 200
    assert refused == MANY - places
    assert Counter(each.status_code for each in answers) == {200: places, 503: refused}
    # A place is given back also if the filter is wrong.
    monkeypatch.undo()
    wrong = [
        asyncio.run(victor.ask("GET", f"{API}/flows/live", params={"filter": "SrcAS ="})) for _ in range(places + 1)
    ]
    assert {each.status_code for each in wrong} == {400}
    assert asyncio.run(victor.ask("GET", f"{API}/flows/live")).status_code == 200


def test_clients_that_have_gone_are_forgotten():
    turns = Turns()

    async def hold(client):
        async with turns.turn(client):
            await asyncio.sleep(10)

    async def come_and_go():
        held = [asyncio.create_task(hold(f"user {number % 3}")) for number in range(30)]
        await asyncio.sleep(0.05)
        present = len(turns)
        for task in held:
            task.cancel()
        await asyncio.gather(*held, return_exceptions=True)
        async with asyncio.timeout(SECONDS), turns.turn("user 1"):
            return present, len(turns)

    assert asyncio.run(come_and_go()) == (3, 1)


def test_one_report_of_health_is_made_for_all_who_ask_meanwhile(console, services, go_on):
    made = []

    def slow():
        made.append(1)
        go_on.wait(10)
        return Condition()

    services.health.register("receive", slow)
    stranger = Page(console)

    async def probe():
        asked = [asyncio.create_task(stranger.ask("GET", "/health")) for _ in range(20)]
        await until(lambda: made)
        go_on.set()
        return await asyncio.gather(*asked)

    try:
        answers = asyncio.run(probe())
    finally:
        services.health.unregister("receive")
    assert {answer.status_code for answer in answers} == {200}
    # Who came after it had begun to be told may have had another.
    assert len(made) <= 2


def test_made_up_tokens_keep_no_probe_waiting_while_the_database_does_not_answer(console, go_on, monkeypatch):
    identify = console.access.identify
    monkeypatch.setattr(console.access, "identify", lambda presented: go_on.wait(10) and identify(presented))
    liar, probe = Page(console, headers={"authorization": "Bearer mlr_a_b"}), Page(console)

    async def attack():
        asked = [asyncio.create_task(liar.ask("GET", "/health")) for _ in range(20)]
        await asyncio.sleep(0.3)
        monkeypatch.undo()
        answer = await asyncio.wait_for(probe.ask("GET", "/health"), 2)
        go_on.set()
        await asyncio.gather(*asked)
        return answer

    answer = asyncio.run(attack())
    assert answer.json() == {"status": "ok", "components": {}}
