"""Answers that many want to know are asked for once."""

import threading
import time

import pytest

from millrace.threads import kept


def test_what_many_want_to_know_at_the_same_time_is_asked_once():
    asked = []

    def ask():
        asked.append(1)
        time.sleep(0.1)
        return len(asked)

    answer, found = kept(ask, age_s=60.0), []
    threads = [threading.Thread(target=lambda: found.append(answer())) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert found == [1] * 8


def test_an_answer_is_asked_for_anew_when_it_is_old_and_an_error_is_not_kept(monkeypatch):
    now, asked = [0.0], []
    monkeypatch.setattr(time, "monotonic", lambda: now[0])

    def ask():
        asked.append(now[0])
        if len(asked) == 2:
            raise OSError("no answer")
        return len(asked)

    answer = kept(ask, age_s=2.0)
    assert [answer(), answer()] == [1, 1]
    now[0] = 2.5
    with pytest.raises(OSError, match="no answer"):
        answer()
    assert answer() == 3
