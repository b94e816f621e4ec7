"""A collector in a terminal says where it answers, listens and stores; elsewhere its output is not disturbed."""

import gc
import io

import pytest
from rich.console import Console
from typer.testing import CliRunner

from millrace.app.application import Application
from millrace.app.settings import Settings
from millrace.cli import collect
from millrace.cli.main import app
from millrace.cli.places import console_place, listening_places, show_places, who_may
from millrace.pipeline import Unstored


@pytest.fixture
def application(tmp_path):
    application = Application(
        Settings.model_validate(
            {"data": tmp_path / "flows", "receive": {"listeners": ["127.0.0.1:0", 0]}, "api": {"port": 0}}
        )
    )
    application.receiver.start()
    application.api.start()
    yield application
    application.api.stop()
    application.receiver.stop()


def printed(application, *, terminal):
    out = io.StringIO()
    show_places(application, Console(file=out, force_terminal=terminal, width=200, color_system=None))
    return out.getvalue()


def test_a_terminal_is_told_the_address_of_the_console_the_ports_and_the_folder(application, tmp_path):
    text = printed(application, terminal=True)
    loopback, everybody = application.receiver.addresses
    assert f"{application.url}/" in text
    assert f"UDP 127.0.0.1:{loopback[1]}, {everybody[1]} " in text
    assert str(tmp_path / "flows") in text


def test_nothing_is_printed_elsewhere(application):
    assert printed(application, terminal=False) == ""


def test_places_are_written_as_they_are_used():
    assert listening_places([]) == "nowhere"
    shown = listening_places([("::", 2055), ("0.0.0.0", 2055), ("::1", 6343), ("192.0.2.1", 4739)])
    assert shown.startswith(r"UDP 2055, \[::1]:6343, 192.0.2.1:4739 ")
    assert "off" in console_place("")
    assert "http://localhost:8080/" in console_place("http://0.0.0.0:8080")
    assert "http://192.0.2.1:80/" in console_place("http://192.0.2.1:80")


@pytest.mark.parametrize(("unstored", "code"), [(Unstored(), 0), (Unstored(flows=3), 3)])
def test_the_exit_status_of_serve_says_whether_all_was_stored(monkeypatch, tmp_path, unstored, code):
    def run(self, on_start):
        self.unstored = unstored
        return not unstored

    monkeypatch.setattr(collect.Application, "run", run)
    assert CliRunner().invoke(app, ["serve", "--data", str(tmp_path)]).exit_code == code


def test_garbage_is_not_looked_for_among_what_lasts(monkeypatch, tmp_path):
    def run(self, on_start):
        on_start()
        return True

    monkeypatch.setattr(collect.Application, "run", run)
    monkeypatch.setattr(collect, "show_places", lambda _: None)
    # The test run has what it collected left out of the search, too; it is again when this is over.
    gc.unfreeze()
    assert gc.get_freeze_count() == 0
    assert CliRunner().invoke(app, ["serve", "--data", str(tmp_path)]).exit_code == 0
    assert gc.get_freeze_count() > 50_000


@pytest.mark.parametrize(
    ("api", "access", "said"),
    [
        ({}, {}, "every user of this machine, as administrator"),
        ({}, {"mode": "login"}, "every user of this machine who logs in"),
        ({"host": "0.0.0.0"}, {"mode": "login"}, "everybody in the network who logs in"),
        ({"host": "0.0.0.0"}, {"allow_open_network": True}, "everybody in the network, as administrator"),
        ({"socket": "http.sock"}, {}, "user "),
        ({"socket": "http.sock", "socket_mode": "0660"}, {}, " and group of http.sock, as administrator"),
        ({}, {"mode": "proxy", "trusted_proxies": ["192.0.2.7"]}, "whom a proxy at 192.0.2.7 vouches for"),
        ({}, {"mode": "proxy"}, "; every user of this machine can pose as the proxy, and so as anybody"),
        ({"socket": "http.sock", "socket_mode": "0660"}, {"mode": "proxy"}, " and group of http.sock can pose as"),
        ({}, {"mode": "proxy", "trusted_proxies": ["127.0.0.5"]}, "; every user of this machine can pose as the proxy"),
        (
            {"host": "0.0.0.0"},
            {"mode": "proxy", "trusted_proxies": ["0.0.0.0/0"]},
            "; everybody in the network can pose as the proxy",
        ),
    ],
)
def test_it_is_said_who_may_reach_the_console(api, access, said):
    assert said in who_may(Settings.model_validate({"api": api, "access": access}))


def test_whom_nobody_can_pose_as_is_vouched_for_alone():
    for access in ({"trusted_proxies": ["192.0.2.7"]}, {"proxy": {"secret": "a secret of sixteen signs"}}):
        said = who_may(Settings.model_validate({"access": {"mode": "proxy", **access}}))
        assert "vouches for" in said
        assert "pose" not in said


def test_a_socket_is_the_place_of_the_console():
    assert console_place("unix:/run/millrace/http.sock") == "socket /run/millrace/http.sock"
