"""The walks that the page on the architecture writes down are those that a datagram and a question take."""

import json
import re
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs" / "explanation" / "architecture.md").read_text()

FOLLOWED = """
import json, socket, sys, tempfile, threading, time, urllib.request

seen, follow = [], []
ROOM = "/src/millrace/"

def look(frame, event, argument):
    if follow and event == "call" and threading.current_thread().name.startswith(tuple(follow)):
        path = frame.f_code.co_filename
        if ROOM in path:
            name = path.split(ROOM)[1]
            if name not in seen:
                seen.append(name)

def walk(*threads):
    time.sleep(1)  # until what was there before is over
    time.sleep(0.2)  # What came before may still be on its last steps.
    seen.clear()
    follow[:] = threads

def end():
    time.sleep(0.2)
    follow.clear()
    return list(seen)

def wait_for(condition):
    until = time.monotonic() + 30
    while not condition():
        assert time.monotonic() < until
        time.sleep(0.05)

threading.setprofile(look)
from millrace.app.application import Application
from millrace.app.settings import Settings
from millrace.generate import LoadPool

settings = {"data": tempfile.mkdtemp(dir="."), "receive": {"listeners": ["127.0.0.1:0"]}, "api": {"port": 0}}
application = Application(Settings.model_validate(settings))
application.start()
port = application.receiver.addresses[0][1]
pool = LoadPool("ipfix", datagrams=1)
sender = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)

def send(batch):
    stored = application.pipeline.writer.stored
    sender.sendto(batch.payload(0), ("127.0.0.1", port))
    return stored

send(pool.preamble(time.time_ns()).batch("127.0.0.1"))
stored = send(pool.take(1, time.time_ns()).batch("127.0.0.1"))
wait_for(lambda: application.pipeline.writer.stored > stored)
walk("receive-", "millrace-decoder", "millrace-writer")
stored = send(pool.take(1, time.time_ns()).batch("127.0.0.1"))
wait_for(lambda: application.pipeline.writer.stored > stored)
datagram = end()

def ask(seconds):
    question = json.dumps({"last_seconds": seconds, "dimensions": ["SrcAS"], "unit": "bits/s"}).encode()
    address = application.url.rstrip("/") + "/api/v1/flows/series"
    headers = {"Content-Type": "application/json"}
    urllib.request.urlopen(urllib.request.Request(address, question, headers), timeout=30).read()

ask(600)
walk("millrace-api", "millrace-question", "AnyIO")
ask(601)
question = end()
application.stop()
print(json.dumps([datagram, question]))
"""


@pytest.fixture(scope="module")
def followed(tmp_path_factory):
    done = subprocess.run(
        [sys.executable, "-c", FOLLOWED],
        cwd=tmp_path_factory.mktemp("walk"),
        capture_output=True,
        text=True,
        timeout=100,
    )
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout.splitlines()[-1])


@pytest.mark.parametrize(("first", "most", "number"), [("receive/worker.py", 25, 0), ("api/guard.py", 15, 1)])
def test_a_walk_is_as_it_is_written(followed, first, most, number):
    written = re.search(rf"(\| 1 \| `{first}`.*?)\n\n", PAGE, re.DOTALL)[1]
    files = re.findall(r"^\| \d+ \| `([^`]+)`", written, re.MULTILINE)
    assert len(files) == written.count("\n") + 1 <= most
    assert files == [name for name in followed[number] if name in files]
