"""The keys `networks` and `as_names`."""

import pytest
from pydantic import Field

from millrace.config import ASNamesSettings, NetworksSettings, Section, load, static_networks
from millrace.errors import ConfigError


class Root(Section):
    networks: NetworksSettings = Field(default_factory=dict)
    as_names: ASNamesSettings = Field(default_factory=dict)


def read(folder, text):
    path = folder / "millrace.yaml"
    path.write_text(text)
    return load(Root, path, {})


def test_prefixes_of_both_families_and_names_by_number(tmp_path):
    settings = read(
        tmp_path,
        "networks:\n  10.0.0.0/8: {name: corp, country: DE}\n  2001:db8::/32: {tenant: acme}\nas_names: {64500: Us}\n",
    )
    assert settings.networks["10.0.0.0/8"].country == "DE"
    assert settings.networks["2001:db8::/32"].tenant == "acme"
    assert settings.as_names == {64500: "Us"}
    static_networks(settings.networks)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("networks: {10.0.0.1/8: {}}", "has host bits set"),
        ("networks: {10.0.0.0/8: {country: de}}", "networks.10.0.0.0/8.country"),
        ("networks: {10.0.0.0/8: {country: NO}}", 'write the code in quotes, "NO"'),
        ("networks: {10.0.0.0/8: {nam: x}}", "did you mean 'name'"),
        ("as_names: {0: x}", "greater than or equal to 1"),
    ],
)
def test_a_mistake_is_named_with_its_place(tmp_path, text, message):
    with pytest.raises(ConfigError, match=message):
        read(tmp_path, text)
