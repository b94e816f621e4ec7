"""Queues hold no more bytes than told, and nothing gets stuck."""

import threading
from dataclasses import dataclass

from millrace.pipeline.queues import ByteQueue


@dataclass
class Item:
    nbytes: int
    rows: int = 1

    def __len__(self):
        return self.rows


def test_a_full_queue_refuses_and_takes_again_when_there_is_room():
    queue = ByteQueue(10)
    assert queue.offer(Item(6))
    assert not queue.offer(Item(5))
    assert queue.take(0).nbytes == 6
    assert queue.take(0) is None
    assert queue.offer(Item(5))


def test_what_was_taken_counts_until_the_taker_comes_again():
    queue = ByteQueue(10)
    assert queue.offer(Item(6))
    assert queue.take(0).nbytes == 6
    assert queue.nbytes == 6
    assert not queue.offer(Item(5))
    assert queue.offer(Item(4))
    assert queue.nbytes == 10
    assert queue.take(0).nbytes == 4
    assert queue.nbytes == 4
    assert queue.take(0) is None
    assert queue.nbytes == 0


def test_an_item_larger_than_the_bound_passes_alone():
    queue = ByteQueue(10)
    assert queue.offer(Item(100))
    assert not queue.offer(Item(1))
    assert queue.take(0).nbytes == 100
    assert not queue.offer(Item(1))


def test_put_waits_for_room():
    queue = ByteQueue(10)
    queue.put(Item(10))
    waiting = threading.Thread(target=queue.put, args=(Item(7),))
    waiting.start()
    waiting.join(0.05)
    assert waiting.is_alive()
    assert queue.take(0).nbytes == 10
    waiting.join(0.05)
    assert waiting.is_alive()
    taken = queue.take(5)
    waiting.join(5)
    assert taken.nbytes == 7


def test_items_are_taken_in_groups_bounded_in_rows_bytes_and_number():
    queue = ByteQueue(1000)
    for size in (10, 20, 30, 40, 50):
        queue.offer(Item(size, rows=size))
    assert [item.nbytes for item in queue.take_some(30, 1000, 5)] == [10, 20]
    assert [item.nbytes for item in queue.take_some(1000, 69, 5)] == [30]
    assert [item.nbytes for item in queue.take_some(1000, 1000, 1)] == [40]
    assert [item.nbytes for item in queue.take_some(1, 1, 5)] == [50]
    assert queue.take_some(1, 1, 5) == []
    assert queue.nbytes == 0


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
    assert [item.nbytes for item in queue.drain()] == [10]
    assert queue.drained
    assert queue.nbytes == 0
    assert queue.take(1) is None
