"""The parser is made once, whoever needs it first."""

import threading

from millrace.lang import grammar


def test_threads_that_come_at_once_get_the_same_parser():
    grammar._grammar.cache_clear()
    together, found = threading.Barrier(8), []

    def use():
        together.wait(10)
        found.append(grammar.grammar())

    threads = [threading.Thread(target=use) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)
    assert len(found) == 8
    assert len({id(parser) for parser in found}) == 1
