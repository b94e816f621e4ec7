"""What commands keep is for their own user only, whichever comes first and whatever the umask is."""

import os
import stat
import subprocess
import sys
from pathlib import Path

import pytest
import structlog.testing

from millrace.cli.configuration import warn_of_readable_secrets
from millrace.files import private_folder
from millrace.generate import write_capture

CONFIGURATION = """\
data: data
receive: {listeners: ["127.0.0.1:0"]}
api: {port: 0}
access:
  password: {memory_kib: 8, iterations: 1, lanes: 1}
  proxy: {secret: a secret of sixteen signs}
"""

ADD_USER = ("user", "add", "alice", "--no-password")
SERVE = ("serve",)
LOAD = ("load", "one.pcap")
SQL = ("sql", "SELECT count() FROM flows")


@pytest.fixture
def run(tmp_path):
    """Runs commands as processes of their own, with the usual umask 022; their standard error."""
    (tmp_path / "millrace.yaml").write_text(CONFIGURATION)
    (tmp_path / "millrace.yaml").chmod(0o644)
    write_capture(tmp_path / "one.pcap", flows=50)

    def run(*command):
        words = [*program(), *command, "--config", "millrace.yaml"]
        with subprocess.Popen(
            words, cwd=tmp_path, umask=0o022, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
        ) as process:
            if command == SERVE:
                begun = []
                for line in process.stderr:
                    begun.append(line)
                    if "answering" in line:
                        break
                assert "can read secrets" in "".join(begun)
                wide = [path for path in kept(tmp_path) if path.stat().st_mode & 0o077]
                assert not wide, "while it serves"
                process.terminate()
            _, said = process.communicate(timeout=60)
            assert process.returncode == 0, said
        return said

    return run


def program():
    return [sys.executable, "-c", "from millrace.cli import main; main()"]


def kept(folder):
    """The data folder and everything in it that a mode protects."""
    data = folder / "data"
    return [data, *(path for path in data.rglob("*") if not path.is_symlink())]


@pytest.mark.variants(1)
@pytest.mark.parametrize(
    "commands",
    [[ADD_USER, SERVE], [LOAD, SQL]],
    ids=["user first", "load first"],
)
def test_nobody_else_can_read_what_is_kept_whichever_command_comes_first(run, tmp_path, commands):
    for command in commands:
        run(*command)
        shown = {str(path): oct(stat.S_IMODE(path.stat().st_mode)) for path in kept(tmp_path)}
        assert {path: mode for path, mode in shown.items() if int(mode, 8) & 0o077} == {}, command


@pytest.mark.variants(1)
@pytest.mark.parametrize(
    "command",
    [
        ("decode", "one.pcap", "--format", "csv", "-o", "made"),
        ("decode", "one.pcap", "--raw", "-o", "made"),
        ("generate", "--count", "50", "--write", "made"),
    ],
    ids=["flows", "raw", "capture"],
)
def test_nobody_else_can_read_what_a_command_is_asked_to_write(tmp_path, command):
    write_capture(tmp_path / "one.pcap", flows=50)
    subprocess.run([*program(), *command], cwd=tmp_path, umask=0o022, check=True, timeout=60)
    assert (tmp_path / "made").stat().st_size
    assert not (tmp_path / "made").stat().st_mode & 0o077


def test_a_folder_that_is_open_to_others_is_closed_and_that_is_said(run, tmp_path):
    data = tmp_path / "data"
    (data / "clickhouse").mkdir(parents=True)
    (data / "millrace.lock").touch()
    (data / "audit.jsonl").touch()
    for path, mode in ((data, 0o755), (data / "clickhouse", 0o755), (data / "audit.jsonl", 0o644)):
        path.chmod(mode)
    said = run(*ADD_USER)
    assert "could look into the data folder; no more" in said
    assert "audit.jsonl" in said
    for path in (data, data / "clickhouse", data / "audit.jsonl"):
        assert not path.stat().st_mode & 0o077, path


@pytest.fixture
def umask():
    before = os.umask(0o022)
    yield
    os.umask(before)


@pytest.fixture
def warnings():
    """What is logged, wherever logs go after other tests."""
    with structlog.testing.capture_logs() as logs:
        yield lambda: "\n".join(str(entry) for entry in logs)


SECRETS = """\
access:
  mode: proxy
  proxy: {secret: a secret of sixteen signs}
state: {url: "postgresql://millrace:hunter2@db/millrace"}
"""


@pytest.mark.parametrize(
    ("text", "mode", "warned"),
    [
        (SECRETS, 0o644, True),
        (SECRETS, 0o640, False),  # of root, and of the group of the service
        (SECRETS, 0o600, False),
        ("access: {mode: proxy}\n", 0o644, False),
        ("", 0o644, False),
    ],
)
def test_secrets_that_everybody_can_read_are_none(tmp_path, warnings, text, mode, warned):
    path = tmp_path / "millrace.yaml"
    path.write_text(text)
    path.chmod(mode)
    warn_of_readable_secrets(path)
    assert ("access.proxy.secret, state.url" in warnings()) == warned
    assert bool(warnings()) == warned
    assert "hunter2" not in warnings()


@pytest.mark.usefixtures("umask")
def test_a_folder_with_other_things_is_not_changed_but_warned_about(tmp_path, warnings):
    tmp_path.chmod(0o755)
    thesis = tmp_path / "thesis.txt"
    thesis.write_text("…")
    (tmp_path / "state.db").touch()
    theirs = tmp_path / "clickhouse"  # without our lock it is another program's
    theirs.mkdir()
    private_folder(tmp_path)
    modes = [path.stat().st_mode & 0o777 for path in (tmp_path, thesis, theirs, tmp_path / "state.db")]
    assert modes == [0o755, 0o644, 0o755, 0o600]
    assert "can look into the data folder" in warnings()


@pytest.mark.usefixtures("umask")
def test_a_folder_that_seems_to_be_another_program_s_is_not_closed_to_it(tmp_path, warnings):
    tmp_path.chmod(0o755)
    (tmp_path / "clickhouse").mkdir()
    (tmp_path / "clickhouse" / "theirs").touch()
    private_folder(tmp_path)
    assert tmp_path.stat().st_mode & 0o777 == 0o755
    assert "can look into the data folder" in warnings()


@pytest.mark.usefixtures("umask")
def test_where_a_link_leads_nothing_is_changed(tmp_path):
    (tmp_path / "elsewhere").touch()
    data = tmp_path / "data"
    data.mkdir()
    (data / "state.json").symlink_to(tmp_path / "elsewhere")
    private_folder(data)
    assert (tmp_path / "elsewhere").stat().st_mode & 0o777 == 0o644


@pytest.mark.usefixtures("umask")
def test_a_narrower_umask_stays(tmp_path):
    os.umask(0o177)
    private_folder(Path(tmp_path))
    assert os.umask(0o022) == 0o177


@pytest.mark.usefixtures("umask")
@pytest.mark.skipif(os.geteuid() != 0, reason="only root can give a folder away")
def test_root_is_told_that_the_service_cannot_read_what_root_makes(tmp_path, warnings):
    data = tmp_path / "data"
    data.mkdir(mode=0o700)
    os.chown(data, 65534, 65534)
    private_folder(data)
    assert "run this as that user" in warnings()
