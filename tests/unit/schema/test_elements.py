"""The registry of information elements."""

import pytest

from millrace.errors import SchemaError
from millrace.schema.elements import DataType, all_elements, by_name, lookup


def test_iana_element_by_number():
    element = lookup(0, 1)
    assert element is not None
    assert (element.name, element.type, element.semantics, element.units) == (
        "octetDeltaCount", DataType.U64, "deltaCounter", "octets",
    )  # fmt: skip


@pytest.mark.parametrize(
    ("pen", "number", "name"),
    [
        (9, 4315, "tcpWindowSizeMin"), (6871, 18, "payload"), (8057, 2, "DNSName"), (39499, 1, "httpHost"),
        (16982, 102, "HTTPDomain"), (5951, 128, "roundTripTime"), (2011, 1, "ingressGponGemPortId"),
        (637, 91, "aluInsideServiceId"), (6876, 880, "tenantProtocol"), (2636, 137, "commonPropertiesId"),
    ],
)  # fmt: skip
def test_every_enterprise_registry_is_known(pen, number, name):
    element = lookup(pen, number)
    assert element is not None
    assert element.qualified == f"{pen}:{name}"


def test_unknown_element_is_none():
    assert lookup(0, 32767) is None
    assert lookup(424242, 1) is None


def test_reverse_element_is_derived_from_its_forward_twin():
    """RFC 5103 §6.1: same number and type under enterprise 29305."""
    element = lookup(29305, 1)
    assert element is not None
    assert (element.name, element.type) == ("reverseOctetDeltaCount", DataType.U64)
    assert by_name("reverseOctetDeltaCount") == element
    assert lookup(29305, 32767) is None


def test_cert_reverse_bit():
    element = lookup(6871, 14 | 0x4000)
    assert element is not None
    assert element.name == "reverseInitialTCPFlags"


def test_netflow_v9_only_types_are_known():
    element = lookup(0, 33000)
    assert element is not None
    assert element.name == "ingressAclId"


def test_bare_name_of_iana_wins_over_enterprises():
    assert by_name("userName").pen == 0


def test_name_that_two_enterprises_share_must_be_qualified():
    with pytest.raises(SchemaError, match="several enterprises have an element 'httpHost'"):
        by_name("httpHost")
    assert by_name("39499:httpHost").id == 1


def test_unknown_name_offers_the_nearest():
    with pytest.raises(SchemaError, match="did you mean 'octetDeltaCount'"):
        by_name("octetDeltaCnt")


def test_numbers_and_qualified_names_are_unique():
    elements = all_elements()
    assert len(elements) > 1400
    assert len({(e.pen, e.id) for e in elements}) == len(elements)
    assert len({e.qualified for e in elements}) == len(elements)
    assert [(e.pen, e.id) for e in elements] == sorted((e.pen, e.id) for e in elements)
