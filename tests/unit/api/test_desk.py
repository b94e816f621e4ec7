"""Threads for strangers who wait: bounded, shared, and free again when a server has ended."""

import asyncio
import threading

import pytest

from millrace.api.desk import Desk
from millrace.errors import ThrottledError


def test_what_is_done_is_answered_and_its_errors_are_raised():
    desk = Desk()

    async def ask():
        assert await desk.run("192.0.2.1", lambda: 7) == 7
        with pytest.raises(ZeroDivisionError):
            await desk.run("192.0.2.1", lambda: 1 / 0)
        return await desk.run("192.0.2.1", lambda: 8)

    assert asyncio.run(ask()) == 8


@pytest.mark.parametrize(
    ("addresses", "served"),
    [
        (["192.0.2.1"] * 5, 2),
        ([f"2001:db8::{number}" for number in range(5)], 2),
        ([f"192.0.2.{number}" for number in range(5)], 3),
        (["unknown"] * 5, 2),
    ],
)
def test_places_are_bounded_in_all_and_by_address(addresses, served):
    desk, leave = Desk(threads=1, most=3, most_per_address=2), threading.Event()

    async def ask():
        asked = [asyncio.create_task(desk.run(address, lambda: leave.wait(10))) for address in addresses]
        await asyncio.sleep(0.05)
        leave.set()
        return await asyncio.gather(*asked, return_exceptions=True)

    answers = asyncio.run(ask())
    assert sum(answer is True for answer in answers) == served
    assert all(answer is True or isinstance(answer, ThrottledError) for answer in answers)
    assert asyncio.run(desk.run(addresses[0], lambda: True))


def test_a_server_that_begins_anew_has_every_place():
    """Whoever waited in one that ended never leaves."""
    desk, leave = Desk(threads=1, most=1), threading.Event()

    async def abandoned():
        task = asyncio.create_task(desk.run("192.0.2.1", lambda: leave.wait(10)))
        await asyncio.sleep(0.05)
        assert not task.done()
        with pytest.raises(ThrottledError):
            await desk.run("192.0.2.2", lambda: 1)

    loop = asyncio.new_event_loop()
    loop.run_until_complete(abandoned())
    assert asyncio.run(desk.run("192.0.2.1", lambda: 7)) == 7
    leave.set()
    loop.run_until_complete(asyncio.gather(*asyncio.all_tasks(loop)))
    loop.close()
