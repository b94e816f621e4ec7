"""What completion offers at a cursor, written ``|`` in the texts."""

import pytest

from millrace.lang import complete, operators_of, parse

SAVED = ("transit", "my own", "web-2.0")


@pytest.fixture
def at(schema):
    def completed(text):
        return complete(text.replace("|", ""), text.index("|"), schema, saved=SAVED)

    return completed


def inserted(text, completion, option):
    plain = text.replace("|", "")
    return plain[: completion.start] + option.text + plain[completion.end :]


@pytest.mark.parametrize(
    ("text", "what", "prefix", "first"),
    [
        ("|", "column", "", "TimeReceived"),
        ("srcas|", "column", "srcas", "SrcAS"),
        ("S|rcAS", "column", "S", "SamplingRate"),
        ("iib|", "column", "iib", "InIfBoundary"),
        ("boundary|", "column", "boundary", "InIfBoundary"),
        ("protoc|", "column", "protoc", "Proto"),
        ("scras|", "column", "scras", "SrcAS"),
        ("no|", "column", "no", "NOT"),
        ("In|", "column", "In", "InIf"),
        ("NOT |", "column", "", "TimeReceived"),
        ("(|", "column", "", "TimeReceived"),
        ("(SrcAS = 1 OR dsta|", "column", "dsta", "DstAddr"),
        ("SrcAS = 1 AND |", "column", "", "TimeReceived"),
        ("SrcAS = 1 AND| ", "keyword", "AND", "AND"),
        ("SrcAS |", "operator", "", "="),
        ("SrcAS no|", "operator", "no", "NOT IN"),
        ("SrcAS NOT |", "operator", "", "IN"),
        ("SrcAS NOT b|", "operator", "b", "BETWEEN"),
        ("SrcAS <|", "operator", "<", "<"),
        ("SrcAddr !|", "operator", "!", "!="),
        ("InIfName like|", "operator", "like", "LIKE"),
        ("InIfBoundary =|", "value", "", "undefined"),
        ("InIfBoundary = EX|", "value", "EX", "external"),
        ("InIfBoundary = e|xternal", "value", "e", "external"),
        ('InIfBoundary = "ex|', "value", "ex", "external"),
        ('InIfBoundary = "ex|ternal" AND SrcAS = 1', "value", "ex", "external"),
        ("Proto = |", "value", "", "tcp"),
        ("Proto = u|", "value", "u", "udp"),
        ("Proto = 17|", "value", "17", "udp"),
        ("EType = |", "value", "", "ipv4"),
        ("DstPort IN (80, htt|", "value", "htt", "http"),
        ("DstPort IN (443|", "value", "443", "https"),
        ("DstPort IN (|", "value", "", "tcpmux"),
        ("SrcCountry = fra|", "value", "fra", "France"),
        ("SrcCountry = deu|", "value", "deu", "Germany"),
        ("SrcCountry = in|", "value", "in", "India"),
        ("SrcCountry IN (DE, united|", "value", "united", "United Arab Emirates"),
        ("SrcAS = goog|", "value", "goog", "Google"),
        ("SrcAS = AS1516|", "value", "AS1516", "Google"),
        ("SrcAS IN (AS1, clou|", "value", "clou", "Cloudflare"),
        ("SrcAS = DstA|", "value", "DstA", "DstAS"),
        ("SrcPort < Dst|", "value", "Dst", "DstPort"),
        ("SrcAS = 1 |", "keyword", "", "AND"),
        ("SrcAS = 1 o|", "keyword", "o", "OR"),
        ("(SrcAS = 1 )|", "keyword", "", "AND"),
        ("SrcAS IN (1 |", "keyword", "", ")"),
        ("SrcAS BETWEEN 1 |", "keyword", "", "AND"),
        ("@|", "saved", "@", "transit"),
        ("SrcAS = 1 AND @WEB|", "saved", "@WEB", "web-2.0"),
        ("SrcAS 5 AND foo bar OR DstPor|", "column", "DstPor", "DstPort"),
    ],
)
def test_the_best_option(at, text, what, prefix, first):
    found = at(text)
    assert (found.what, found.prefix, found.options[0].label) == (what, prefix, first)


@pytest.mark.parametrize(
    ("text", "full"),
    [
        ("Sr|cA AND x", "SrcAddr AND x"),
        ("SrcAS = goog|", "SrcAS = AS15169"),
        ("SrcCountry = fra|", "SrcCountry = FR"),
        ('InIfBoundary = "ex|', "InIfBoundary = external"),
        ('InIfBoundary = "ex|ternal" AND SrcAS = 1', "InIfBoundary = external AND SrcAS = 1"),
        ("SrcAddr !|", "SrcAddr !="),
        ("@my|", '@"my own"'),
        ("DstPort IN (80, htt|)", "DstPort IN (80, http)"),
        ("SrcAS = 1 |", "SrcAS = 1 AND"),
    ],
)
def test_an_option_replaces_what_was_typed_of_it(at, text, full):
    found = at(text)
    assert inserted(text, found, found.options[0]) == full


@pytest.mark.parametrize("text", ["SrcAS = 1 -- Src|", "SrcAS = 1 /* Src| */", "/* |", "SrcAS = 1 --|"])
def test_comments_are_left_alone(at, text):
    assert at(text).options == ()


@pytest.mark.parametrize(
    ("text", "column"),
    [("InIfName = |", "InIfName"), ("InIfName IN (a, 'b|", "InIfName"), ("InIfName LIKE |", "InIfName"),
     ("SrcAddr << 10.|", "SrcAddr"), ("TimeReceived > |", "TimeReceived")],
)  # fmt: skip
def test_values_that_only_data_knows_are_asked_for(at, text, column):
    found = at(text)
    assert (found.what, found.column.name, found.options) == ("value", column, ())


def test_an_unknown_column_has_no_values(at):
    assert at("nothing = a|").options == ()
    assert at("nothing |").options[0].text == "="


def test_operators_are_those_of_the_column_with_a_meaning(at, schema):
    found = at("SrcAddr |")
    assert tuple(option.text for option in found.options) == operators_of(schema["SrcAddr"])
    assert {option.text: option.detail for option in found.options}["<<"] == "inside a subnet"
    assert at("DstASPath |").options[0].detail == "has"


def test_columns_show_their_title(at):
    assert at("SrcAS|").options[0].detail == "Source AS"


def test_every_value_that_is_offered_is_understood(at, schema):
    for name in ("InIfBoundary", "FlowProtocol", "Proto", "EType", "DstPort", "SrcCountry", "SrcAS", "DstASPath"):
        for prefix in ("", "a", "s", "1"):
            for option in at(f"{name} = {prefix}|").options:
                parse(f"{name} = {option.text}", schema)


def test_options_are_bounded(at):
    assert len(at("DstPort = |").options) == 100


@pytest.mark.parametrize(
    "text",
    [
        "Proto = 6|", "SrcAS = 3|", "DstPort = 0|", "InIfSpeed = 10|", "Proto IN (6|", "DstPort BETWEEN 1 AND 8|",
        "(Proto = 6|", "Proto = tcp|", "SrcCountry = DE|", 'InIfName = "x|"', "SrcAddr = 10.0.0.1|", "SrcAS|",
        "srcas|", "SrcAS = 1 and|", "SrcAS <|", "SrcAS !=|", "@transit|", "SrcPort = DstPort|", "SrcA|S = 1",
        "|", "Proto = |", "Proto = 6 |", "Proto |", "-- x|",
    ],
)  # fmt: skip
def test_what_is_complete_or_not_begun_is_nothing_unfinished(at, text):
    assert not at(text).unfinished


@pytest.mark.parametrize(
    "text",
    [
        "InIfProv|", "SrcAS = goog|", "Proto = ud|", "SrcAddr !|", "SrcAS = 1 o|", "@tran|",
        "SrcCountry IN (DE, united|",
        'InIfBoundary = "ex|', "InIfBoundary = e|x", "SrcAS NOT b|", "nothing = a|",
    ],
)  # fmt: skip
def test_a_word_that_means_nothing_yet_is_unfinished(at, text):
    assert at(text).unfinished
