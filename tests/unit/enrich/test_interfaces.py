"""What is known of an exporter's interfaces, once its own announcements are put to what is configured."""

from millrace.enrich import Exporter, Interface


def test_what_is_configured_wins_attribute_by_attribute():
    exporter = Exporter("192.0.2.1/32", interfaces={1: Interface(name="uplink"), 2: Interface(speed_mbps=10_000)})
    known = exporter.interfaces_with({1: ("Gi0/1", "to Cogent"), 2: ("Gi0/2", "")})
    assert known[1] == Interface(name="uplink", description="to Cogent")
    assert known[2] == Interface(name="Gi0/2", speed_mbps=10_000)


def test_what_is_only_announced_has_the_defaults_of_the_exporter():
    exporter = Exporter("192.0.2.1/32", default_interface=Interface(speed_mbps=1000, boundary="internal"))
    assert exporter.interfaces_with({7: ("Gi0/7", "")})[7] == Interface(
        name="Gi0/7", speed_mbps=1000, boundary="internal"
    )


def test_number_zero_is_no_interface_and_has_no_defaults():
    exporter = Exporter("192.0.2.1/32", default_interface=Interface(speed_mbps=1000))
    assert exporter.interfaces_with({0: ("local", "")})[0] == Interface(name="local")


def test_the_configured_ones_stay_as_they_are():
    exporter = Exporter("192.0.2.1/32", interfaces={1: Interface(speed_mbps=10)})
    exporter.interfaces_with({1: ("Gi0/1", "")})
    assert exporter.interfaces == {1: Interface(speed_mbps=10)}
