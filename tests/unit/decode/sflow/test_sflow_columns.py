"""The table of columns says of each what of sFlow feeds it: those that decoding fills, all of them, and no other."""

from millrace.schema import COLUMNS
from millrace.testing.packets import ethernet, fragment, icmp, ipv4, ipv6, mpls, tcp, udp, vlan, vxlan
from millrace.testing.sflow import (
    datagram,
    discard_sample,
    extended_gateway,
    extended_mpls,
    extended_nat,
    extended_nat_port,
    extended_router,
    extended_switch,
    flow_sample,
    raw_header,
    sampled_ethernet,
    sampled_ip,
)

OF_THE_COLLECTOR = {"TimeReceived", "FlowProtocol", "SamplingRateSource"}
"""What no structure of sFlow tells."""

RECORDS = (
    [raw_header(ethernet(vlan(10, ipv4(tcp(1, 2), ident=7, offset=0, more=True))))],
    [raw_header(ethernet(ipv4(icmp(3, 1))))],
    [raw_header(ethernet(ipv6(fragment(udp(1, 2), ident=9, more=True), flow_label=5)))],
    [raw_header(ethernet(mpls([16, 17], ipv4(udp(1, 2)))))],
    [raw_header(ethernet(ipv4(vxlan(77, ethernet(ipv4(udp(1, 2)))))))],
    [sampled_ethernet(), sampled_ip()],
    [
        sampled_ip(),
        extended_switch(3, 4),
        extended_router("203.0.113.1", 24, 16),
        extended_gateway(path=[(2, [64503, 64504, 64505])], communities=[1]),
        extended_nat("192.0.2.7", "192.0.2.8"),
        extended_nat_port(1, 2),
        extended_mpls([16]),
    ],
)


def test_the_columns_that_sflow_feeds_are_those_that_say_so(sflow):
    samples = [flow_sample(records) for records in RECORDS]
    outcome = sflow.decode(datagram([*samples, discard_sample(RECORDS[0], reason=256)]))
    filled = {name for row in outcome.flows for name in row}
    assert filled - OF_THE_COLLECTOR == {column.name for column in COLUMNS if column.sflow}
