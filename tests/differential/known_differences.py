"""Every value in which an oracle differs from us, and why the oracle is at fault.

A test fails if one of these differences is gone, or if there is another one.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass

from differential.compare import Tally


@dataclass(frozen=True)
class Known:
    """Differences of one oracle from us in one decode.

    Attributes
    ----------
    oracle : str
        ``tshark``, ``netgauze``, ``logstash`` or ``telegraf``.
    decode : str
        How the name of the decode ends.
    names : dict
        Number of differing values by name.
    why : str
    """

    oracle: str
    decode: str
    names: dict[str, int]
    why: str


_HOST_COUNTERS = (
    "TShark 4.0 does not skip counter records that it does not know: it reads the next record from inside of them."
)
_FLAGS_AND_TOS = (
    "In the sampled IPv4 record (sFlow v5 p. 31) TCP flags and ToS are 32-bit words. TShark 4.0 looks at the first "
    "byte of the word, which is always zero."
)

KNOWN = (
    Known(
        "tshark", "pynetflow10.tshark.json.gz",
        {"padding": 2, "icmp_type_code_ipv4": 1, "ip_version": 2, "srcaddr": 1, "dstaddr": 1, "timestart": 1,
         "timeend": 1, "octets": 1, "packets": 1, "inputint": 1},
        "The third message defines templates anew with other lengths. TShark keeps the first definition (its "
        "`template_frame` stays 1) and reads the records with wrong lengths.",
    ),
    Known(
        "tshark", "logstash_Netflow_9_H3C.tshark.json.gz",
        {"_ws.type_length.mismatch": 1, "_ws.expert.message": 1, "_ws.expert.severity": 1, "_ws.expert.group": 1,
         "_ws.malformed": 1},
        "NetFlow v9 with variable-length fields (length 65535): TShark does not know them in v9 and gives up.",
    ),
    Known(
        "tshark", "enterprise-from-nfv9.ipfix.tshark.json.gz", {"templates of a set": 1},
        "The options template announces 8 scope fields of 4 fields in all. TShark shows the fields that are there; "
        "we keep no template that runs past its set.",
    ),
    Known(
        "tshark", "vflow_m.tshark.json.gz", {"templates of a set": 1},
        "Hand-made: the body of an options template stands twice in one set. What follows the first is no template: "
        "it would have 512 fields in 38 bytes. TShark shows the fields that are there.",
    ),
    *(
        Known(
            "tshark", f"tests{sep}data{sep}sflow.{kind}.tshark.json.gz",
            {"sflow_245.ip.tcp_flag.ack": 1, "sflow_245.ipv4_precedence_type": 1, "sflow_245.ipv4_delay": 1},
            _FLAGS_AND_TOS,
        )
        for kind, sep in (("pcap", "/"), ("bin", "_"))
    ),
    Known(
        "tshark", "sflow_keyed.pcap.tshark.json.gz", {"sflow_245.ip.tcp_flag.ack": 1, "sflow_245.ip.tcp_flag.psh": 1},
        _FLAGS_AND_TOS,
    ),
    Known(
        "tshark", "TestSFlowDecodeDropExtendedFunction.data.bin.tshark.json.gz", {"records": 1},
        "TShark 4.0 does not know discard samples (format 5) and shows none of their records.",
    ),
    Known("tshark", "sflow_multiple_counter_30_pdus.pcap.tshark.json.gz", {"record": 6, "records": 2}, _HOST_COUNTERS),
    Known("tshark", "host_sample.dump.tshark.json.gz", {"record": 2, "records": 1}, _HOST_COUNTERS),
    Known("tshark", "SFlowTestPacket9.bin.tshark.json.gz", {"record": 1, "records": 1}, _HOST_COUNTERS),
    Known("tshark", "SFlowTestPacket13.bin.tshark.json.gz", {"record": 1}, _HOST_COUNTERS),
    Known(
        "tshark", "SFlowTestPacket5.bin.tshark.json.gz", {"sflow_245.nexthop.dst_mask": 1},
        "The agent says that the sample has 52 bytes, which is 4 less than its record needs. TShark reads past the "
        "end of the sample.",
    ),
    Known(
        "tshark", "SFlowTestPacket8.bin.tshark.json.gz",
        {"sflow_245.nexthop.v6": 1, "sflow_245.nexthop.src_mask": 1, "sflow_245.nexthop.dst_mask": 1},
        "The agent says that the record has 16 bytes although it holds an IPv6 address. TShark reads past its end.",
    ),
    Known(
        "tshark", "SFlowTestPacket11.bin.tshark.json.gz",
        {"sflow.lag_port.actor_admin_state": 1, "sflow.lag_port.actor_oper_state": 1,
         "sflow.lag_port.partner_admin_state": 1, "sflow.lag_port.partner_oper_state": 1},
        "The state word holds four bytes of state (sFlow LAG Port Statistics). TShark shows single bits of it.",
    ),
    Known(
        "logstash", "Netflow 9 Ubiquiti Edgerouter with MPLS labels", {"mpls_label_stack_octets": 1},
        "Logstash takes field 201, mplsLabelStackLength, for an entry of the label stack.",
    ),
    Known(
        "telegraf", "ipfix_example", {"type_6871_33322": 1},
        "Telegraf shows the bytes of a list of CERT; we show it decoded.",
    ),
)  # fmt: skip


def unexplained(oracle: str, decode: str, tally: Tally) -> str:
    """What differs otherwise than the table says; empty if nothing does."""
    known: Counter[str] = Counter()
    for entry in KNOWN:
        if entry.oracle == oracle and decode.endswith(entry.decode):
            known.update(entry.names)
    found = Counter(difference.name for difference in tally.differences)
    if found == known:
        return ""
    return f"differences {dict(found)}, known {dict(known)}; {tally.explain()}"
