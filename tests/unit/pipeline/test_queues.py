"""Queues hold no more bytes than told, and nothing gets stuck."""

import threading
from dataclasses import dataclass

from millrace.pipeline.queues import ByteQueue


@dataclass
class Item:
    nbytes: int


def test_a_full_queue_refuses_and_takes_again_when_there_is_room():
    queue = ByteQueue(10)
    assert queue.offer(Item(6))
    assert not queue.offer(Item(5))
    assert queue.take(0).nbytes == 6
    assert queue.offer(Item(5))


def test_an_item_larger_than_the_bound_passes_alone():
    queue = ByteQueue(10)
    assert queue.offer(Item(100))
    assert not queue.offer(Item(1))
    assert queue.take(0).nbytes == 100


def test_put_waits_for_room():
    queue = ByteQueue(10)
    queue.put(Item(10))
    waiting = threading.Thread(target=queue.put, args=(Item(7),))
    waiting.start()
    waiting.join(0.05)
    assert waiting.is_alive()
    queue.take(0)
    waiting.join(5)
    assert queue.nbytes == 7


def test_closing_lets_what_waits_be_taken_and_ends_waiting_puts():
    queue = ByteQueue(10)
    queue.put(Item(10))
    results = []
    waiting = threading.Thread(target=lambda: results.append(queue.put(Item(1))))
    waiting.start()
    queue.close()
    waiting.join(5)
    assert results == [False]
    assert not queue.drained
    assert [item.nbytes for item in queue.take_all()] == [10]
    assert queue.drained
    assert queue.take(1) is None
