"""What a server that has ended left behind keeps nobody out of the next one.

A server that ends by itself is begun anew, in a new event loop, over the same application. Whoever was looked up in the
old one never leaves it.
"""

import asyncio
import threading
from dataclasses import replace

import httpx
import pytest

from browsers import Clock, Console
from millrace.api import create_app
from millrace.api.loops import PerLoop
from millrace.telemetry import Condition, Health, Metrics

SECONDS = 5


async def abandon(ask, asking=12):
    """Ask for more than may be looked up at the same time, and leave them there."""
    asked = [asyncio.create_task(ask()) for _ in range(asking)]
    await asyncio.sleep(0.1)
    assert not any(task.done() for task in asked)


async def once(ask):
    return await asyncio.wait_for(ask(), SECONDS)


@pytest.fixture
def old_loop():
    """A loop that ends without ending what it does; closed when its threads have gone."""
    loop, go_on = asyncio.new_event_loop(), threading.Event()
    yield loop, go_on
    go_on.set()
    if left := asyncio.all_tasks(loop):
        loop.run_until_complete(asyncio.wait(left, timeout=SECONDS))
    loop.close()


def getting(app, path):
    async def ask():
        transport = httpx.ASGITransport(app, raise_app_exceptions=False)
        async with httpx.AsyncClient(transport=transport, base_url="http://localhost") as client:
            return await client.get(path)

    return ask


def test_lookups_of_a_server_that_ended_keep_nobody_out(old_loop, services, tmp_path, monkeypatch):
    loop, go_on = old_loop
    console = Console(services, tmp_path, Clock(), mode="open")
    ask = getting(console.app, "/api/v1/columns")
    identify = console.access.identify
    with monkeypatch.context() as patched:
        patched.setattr(console.access, "identify", lambda presented: go_on.wait(10) and identify(presented))
        loop.run_until_complete(abandon(ask))
    assert asyncio.run(once(ask)).status_code == 200


@pytest.mark.parametrize("path", ["/health", "/metrics"])
def test_watchers_of_a_server_that_ended_keep_nobody_out(old_loop, services, path):
    loop, go_on = old_loop
    slow = [True]

    def wait():
        if slow[0]:
            go_on.wait(10)
        return Condition()

    watched = replace(services, health=Health(), metrics=Metrics())
    watched.health.register("receive", wait)
    watched.metrics.callback("gauge", "api", "slow", "Slow.", lambda: [((), float(wait() == Condition()))])
    ask = getting(create_app(watched), path)
    loop.run_until_complete(abandon(ask))
    slow[0] = False
    assert asyncio.run(once(ask)).status_code == 200


def test_each_loop_has_its_own_and_keeps_it():
    made = []
    thing = PerLoop(lambda: made.append(1) or len(made))

    async def twice():
        return thing.get(), thing.get()

    assert asyncio.run(twice()) == (1, 1)
    assert asyncio.run(twice()) == (2, 2)
