import pytest
from pydantic import ValidationError

from millrace.receive import ListenerSettings, ReceiveSettings


def test_defaults_listen_on_the_three_known_ports_of_every_address():
    listeners = ReceiveSettings().listeners
    assert [(str(listener.address), listener.port) for listener in listeners] == [
        ("::", 2055),
        ("::", 4739),
        ("::", 6343),
    ]


@pytest.mark.parametrize(
    ("written", "address", "port"),
    [
        (2055, "::", 2055),
        ("2055", "::", 2055),
        ("192.0.2.1:9995", "192.0.2.1", 9995),
        ("[2001:db8::1]:9995", "2001:db8::1", 9995),
        ({"address": "0.0.0.0", "port": 1, "sockets": 4}, "0.0.0.0", 1),
    ],
)
def test_listeners_may_be_written_short(written, address, port):
    listener = ListenerSettings.model_validate(written)
    assert (str(listener.address), listener.port) == (address, port)


@pytest.mark.parametrize(
    "written", ["nowhere:2055", "70000", True, {"port": 1, "sockets": 0}, {"port": 1, "socket": 2}]
)
def test_wrong_listeners_are_refused(written):
    with pytest.raises(ValidationError):
        ReceiveSettings(listeners=(written,))


def test_every_setting_is_described():
    for model in (ReceiveSettings, ListenerSettings):
        assert all(field.description for field in model.model_fields.values())
