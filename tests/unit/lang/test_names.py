"""Names of numbers and codes."""

import csv

import pytest

from millrace.lang import DEFAULT_NAMES, Comparison, Names, parse
from millrace.lang.names import data_text, folded


def test_both_ways():
    names = DEFAULT_NAMES
    assert (names.as_name(15169), names.as_numbers("GOOGLE")) == ("Google", (15169,))
    assert (names.service(443), names.ports("https")) == ("https", (443,))
    assert (names.protocol(6), names.protocol_number("tcp")) == ("TCP", 6)
    assert (names.ethertype(0x86DD), names.ethertype_number("IPv6")) == ("ipv6", 0x86DD)
    assert (names.country("DE"), names.country_code("deu"), names.country_code("Germany")) == ("Germany", "DE", "DE")


def test_what_is_unknown_has_no_name():
    names = DEFAULT_NAMES
    assert [names.as_name(0), names.service(0), names.protocol(200), names.ethertype(1)] == [""] * 4
    assert names.country("XX") == ""
    assert [names.as_numbers("nobody"), names.ports("nobody")] == [(), ()]
    assert [names.protocol_number("x"), names.ethertype_number("x"), names.country_code("x")] == [None] * 3


def test_further_names_of_as_win(schema):
    names = DEFAULT_NAMES.with_autonomous_systems({64500: "Example", 15169: "Alphabet"})
    assert parse("SrcAS = example", schema, names) == Comparison(schema["SrcAS"], "=", 64500)
    assert names.as_name(15169) == "Alphabet"
    assert names.as_name(13335) == "Cloudflare"
    assert DEFAULT_NAMES.as_name(64500) == ""


def test_no_names_at_all_leave_the_numbers(schema):
    assert parse("Proto = 6 AND SrcCountry = de", schema, Names())


def test_countries_are_those_of_iso_3166():
    countries = DEFAULT_NAMES.countries
    assert len(countries) == 249
    assert len({country.code for country in countries}) == len({country.alpha3 for country in countries}) == 249
    assert all(c.code.isalpha() and c.code.isupper() and len(c.code) == 2 and len(c.alpha3) == 3 for c in countries)
    assert [country.code for country in countries] == sorted(country.code for country in countries)


def test_no_name_of_a_country_is_ambiguous():
    for country in DEFAULT_NAMES.countries:
        for name in (country.code, country.alpha3, country.name, *country.others):
            assert DEFAULT_NAMES.country_code(name) == country.code, name


def test_as_numbers_are_listed_once_and_in_order():
    numbers = [int(row["asn"]) for row in csv.DictReader(data_text("as_names").splitlines())]
    assert numbers == sorted(set(numbers))
    assert len(numbers) >= 150


@pytest.mark.parametrize("name", ["protocols", "tcp", "udp"])
def test_every_name_is_one_word(name):
    rows = list(csv.DictReader(data_text(name).splitlines()))
    assert rows
    assert all(folded(row["name"]) and " " not in row["name"] for row in rows)
