"""Dissection against a slow scalar dissector that follows the same rules one frame at a time."""

from __future__ import annotations

import struct
from typing import Any

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from millrace.batch import ARENA_PADDING, Lists, map_ipv4
from millrace.decode.packet import Dissection, dissect
from millrace.decode.packet.cursor import Cursor
from millrace.schema import Kind, Schema
from millrace.testing.packets import frames

SCHEMA = Schema()
TAGS = (0x8100, 0x88A8, 0x9100, 0x9200)
TRANSPORT = ("SrcPort", "DstPort", "TCPFlags", "ICMPType", "ICMPCode", "IPFragmentID", "IPFragmentOffset",
             "IPv6FlowLabel")  # fmt: skip


class Slow:
    """One frame, header by header, as the RFCs have it."""

    def __init__(self, frame: bytes, link: int) -> None:
        self.frame, self.limit, self.depth = frame, len(frame), 0
        self.seen: dict[str, Any] = {}
        self.l3, self.link_bytes, self.rounds = -1, 0, 0
        self.go({1: "ethernet", 11: "ipv4", 12: "ipv6", 13: "mpls"}.get(link), 0)

    def go(self, layer: str | None, at: int, number: int = 0) -> None:
        if layer is None or self.rounds == 24:
            return
        self.rounds += 1
        getattr(self, layer)(at, number) if layer == "extension" else getattr(self, layer)(at)

    def take(self, at: int, form: str) -> tuple[int, ...] | None:
        size = struct.calcsize("!" + form)
        return struct.unpack_from("!" + form, self.frame, at) if at + size <= self.limit else None

    def count_link(self, at: int) -> None:
        if self.depth == 0:
            self.link_bytes = at

    def tunnel(self, code: int, vni: int | None = None) -> None:
        if "TunnelType" not in self.seen:
            self.seen |= {"TunnelType": code} | ({} if vni is None else {"VNI": vni})

    def tagged(self, at: int) -> tuple[int, int, int]:
        (etype,) = self.take(at + 12, "H") or (0,)
        at, vlan = at + 14, 0
        for depth in range(8):
            tag = self.take(at, "HH") if etype in TAGS else None
            if tag is None:
                break
            vlan = tag[0] & 0xFFF if depth == 0 else vlan
            etype, at = tag[1], at + 4
        return etype, at, vlan

    def after_etype(self, etype: int) -> str | None:
        return {0x0800: "ipv4", 0x86DD: "ipv6", 0x8847: "mpls", 0x8848: "mpls", 0x8864: "pppoe"}.get(etype)

    def ethernet(self, at: int) -> None:
        head = self.take(at, "6s6sH")
        if head is None:
            return
        self.seen["DstMAC"], self.seen["SrcMAC"] = (int.from_bytes(mac) for mac in head[:2])  # type: ignore[arg-type]
        etype, at, vlan = self.tagged(at)
        if vlan:
            self.seen["SrcVlan"] = vlan
        if etype >= 1536:
            self.seen["EType"] = etype
        self.count_link(at)
        self.go(self.after_etype(etype), at)

    def inner_ethernet(self, at: int) -> None:
        if self.take(at, "14s") is None:
            return
        etype, at, _ = self.tagged(at)
        self.count_link(at)
        self.go(self.after_etype(etype), at)

    def pppoe(self, at: int) -> None:
        head = self.take(at, "BBHHH")
        if head is None or head[0] != 0x11:
            return
        layer = {0x0021: "ipv4", 0x0057: "ipv6", 0x0281: "mpls"}.get(head[4])
        if layer:
            self.count_link(at + 8)
            self.go(layer, at + 8)

    def mpls(self, at: int) -> None:
        labels = []
        bottom = False
        while not bottom and len(labels) < 16 and (entry := self.take(at, "I")):
            labels.append(entry[0] >> 12)
            bottom = bool(entry[0] & 0x100)
            at += 4
        if labels and self.depth == 0:
            self.seen.setdefault("MPLSLabels", labels)
        first = self.take(at, "B")
        if not bottom or first is None:
            return
        self.count_link(at)
        known = (0x0800, 0x86DD, 0x8847, 0x8848, 0x8864, *TAGS)
        nibble = first[0] >> 4
        if nibble in (4, 6):
            self.go("ipv4" if nibble == 4 else "ipv6", at)
        elif nibble == 0 and (self.take(at + 16, "H") or (0,))[0] in known:
            self.go("inner_ethernet", at + 4)
        elif (self.take(at + 12, "H") or (0,))[0] in known:
            self.go("inner_ethernet", at)

    def enter(self, at: int, length: int) -> None:
        if self.depth == 0:
            self.l3 = length
        else:
            if self.depth == 1:
                self.seen["OuterSrcAddr"], self.seen["OuterDstAddr"] = self.seen["SrcAddr"], self.seen["DstAddr"]
            for name in TRANSPORT:
                self.seen.pop(name, None)
        if length >= 0:
            self.limit = min(self.limit, at + length)
        self.depth += 1

    def ipv4(self, at: int) -> None:
        head = self.take(at, "BBHHHBBHII")
        if head is None or not 0x45 <= head[0] <= 0x4F:
            return
        size = (head[0] & 15) * 4
        self.enter(at, head[2] if head[2] >= size else -1)
        source, destination = (map_ipv4(np.array([word], ">u4")).tobytes() for word in head[8:])
        self.seen |= {
            "EType": 0x0800, "SrcAddr": source, "DstAddr": destination, "Proto": head[6], "IPTos": head[1],
            "IPTTL": head[5], "IPFragmentID": head[3], "IPFragmentOffset": head[4] & 0x1FFF,
        }  # fmt: skip
        if head[4] & 0x1FFF == 0:
            self.upper(at + size, head[6], six=False)

    def ipv6(self, at: int) -> None:
        head = self.take(at, "IHBB16s16s")
        if head is None or head[0] >> 28 != 6:
            return
        self.enter(at, head[1] + 40 if head[1] or head[2] == 59 else -1)
        self.seen |= {
            "EType": 0x86DD, "SrcAddr": head[4], "DstAddr": head[5], "Proto": head[2],
            "IPTos": head[0] >> 20 & 0xFF, "IPTTL": head[3], "IPv6FlowLabel": head[0] & 0xFFFFF,
        }  # fmt: skip
        self.upper(at + 40, head[2], six=True)

    def upper(self, at: int, number: int, *, six: bool) -> None:
        layers = {6: "tcp", 17: "udp", 33: "ports", 132: "ports", 136: "ports", 1: "icmp", 58: "icmp", 47: "gre",
                  4: "ipv4", 41: "ipv6", 137: "mpls", 51: "extension"}  # fmt: skip
        if six:
            layers |= {143: "inner_ethernet", **dict.fromkeys((0, 43, 44, 60, 135, 139, 140), "extension")}
        if number in (4, 41) or (six and number == 143):
            self.tunnel(6 if number == 143 else 1)
        self.go(layers.get(number), at, number)

    def extension(self, at: int, number: int) -> None:
        routed = False
        for _ in range(8):
            head = self.take(at, "BBHI")
            if head is None:
                return
            offset = 0
            size = {44: 8, 51: head[1] * 4 + 8}.get(number, head[1] * 8 + 8)
            if self.take(at, f"{size}s") is None:
                return
            if number == 44:
                offset = head[2] >> 3
                self.seen["IPFragmentID"], self.seen["IPFragmentOffset"] = head[3], offset
            routed |= number == 43 and head[2] >> 8 == 4
            number = self.seen["Proto"] = head[0]
            at += size
            if offset:
                return
            if number not in (0, 43, 44, 51, 60, 135, 139, 140):
                if routed and number in (4, 41, 143):
                    self.tunnel(6)
                self.upper(at, number, six=True)
                return

    def ports(self, at: int) -> bool:
        head = self.take(at, "HH")
        if head is not None:
            self.seen["SrcPort"], self.seen["DstPort"] = head
        return head is not None

    def tcp(self, at: int) -> None:
        self.ports(at)
        if flags := self.take(at + 12, "H"):
            self.seen["TCPFlags"] = flags[0] & 0xFFF

    def udp(self, at: int) -> None:
        if self.ports(at):
            port = self.seen["DstPort"]
            self.go({4789: "vxlan", 8472: "vxlan", 6081: "geneve", 2152: "gtpu"}.get(port), at + 8)

    def icmp(self, at: int) -> None:
        if head := self.take(at, "BB"):
            self.seen["ICMPType"], self.seen["ICMPCode"] = head

    def after_tunnel(self, etype: int) -> str | None:
        return "inner_ethernet" if etype == 0x6558 else self.after_etype(etype) if etype != 0x8864 else None

    def gre(self, at: int) -> None:
        head = self.take(at, "HH")
        if head is None or head[0] & 0x4007:
            return
        checksum, key, sequence = (bool(head[0] & bit) for bit in (0x8000, 0x2000, 0x1000))
        if self.take(at, f"{4 + 4 * (checksum + key + sequence)}s") is None:
            return
        self.tunnel(2, struct.unpack_from("!I", self.frame, at + 4 + 4 * checksum)[0] if key else None)
        self.go(self.after_tunnel(head[1]), at + 4 + 4 * (checksum + key + sequence))

    def vxlan(self, at: int) -> None:
        head = self.take(at, "II")
        if head and head[0] >> 24 & 8:
            self.tunnel(3, head[1] >> 8)
            self.go("inner_ethernet", at + 8)

    def geneve(self, at: int) -> None:
        head = self.take(at, "BBHI")
        if head and head[0] >> 6 == 0:
            self.tunnel(4, head[3] >> 8)
            self.go(self.after_tunnel(head[2]), at + 8 + (head[0] & 63) * 4)

    def gtpu(self, at: int) -> None:
        head = self.take(at, "BBHI")
        if head is None or head[0] >> 4 != 3 or head[1] != 255:
            return
        self.tunnel(5, head[3])
        following = 0
        if head[0] & 7:
            optional = self.take(at + 8, "HBB")
            if optional is None:
                return
            following, at = optional[2] if head[0] & 4 else 0, at + 4
        at += 8
        for _ in range(4):
            if following == 0:
                version = (self.take(at, "B") or (0,))[0] >> 4
                self.go({4: "ipv4", 6: "ipv6"}.get(version), at)
                return
            size = (self.take(at, "B") or (0,))[0] * 4
            if size == 0 or self.take(at, f"{size}s") is None:
                return
            at += size
            following = self.frame[at - 1]


def dissect_frames(batch: list[bytes], links: list[int], rubbish: int = 0xEE) -> Dissection:
    stop = np.cumsum([len(frame) for frame in batch], dtype=np.int64)
    start = stop - np.array([len(frame) for frame in batch], np.int64)
    arena = np.frombuffer(b"".join(batch) + bytes([rubbish]) * ARENA_PADDING, np.uint8)
    return dissect(SCHEMA, Cursor(arena, start), stop, np.array(links, np.uint8))


def rows(dissection: Dissection) -> list[dict[str, Any]]:
    flows = dissection.flows
    out: list[dict[str, Any]] = [{} for _ in range(len(flows))]
    for name, values in flows.columns.items():
        valid = flows.valid.get(name)
        for row in range(len(flows)):
            if valid is not None and not valid[row]:
                continue
            if isinstance(values, Lists):
                out[row][name] = values.values[values.offsets[row] : values.offsets[row + 1]].tolist()
            elif SCHEMA[name].kind is Kind.ADDRESS:
                out[row][name] = values[row].tobytes()
            else:
                out[row][name] = int(values[row])
    return out


cut_frames = st.builds(lambda frame, cut: frame[: len(frame) - cut], frames(), st.just(0) | st.integers(0, 120))


@st.composite
def damaged(draw: st.DrawFn) -> bytes:
    frame = bytearray(draw(frames()))
    for _ in range(draw(st.integers(1, 3))):
        frame[draw(st.integers(0, len(frame) - 1))] = draw(st.integers(0, 255))
    return bytes(frame)


any_frame = st.one_of(cut_frames, damaged(), st.binary(max_size=100))
link = st.sampled_from([1, 1, 1, 1, 11, 12, 13, 7])


@settings(max_examples=40, deadline=None)
@given(st.lists(st.tuples(any_frame, link), min_size=1, max_size=6))
def test_agrees_with_the_slow_dissector(batch):
    dissection = dissect_frames([frame for frame, _ in batch], [link for _, link in batch])
    for row, (frame, link) in enumerate(batch):
        slow = Slow(frame, link)
        assert rows(dissection)[row] == slow.seen
        assert dissection.l3_bytes[row] == slow.l3
        assert dissection.link_bytes[row] == slow.link_bytes


@settings(max_examples=15, deadline=None)
@given(frames())
def test_header_cut_anywhere_invents_nothing(frame):
    frame = frame[:200]
    cuts = [frame[:shown] for shown in range(len(frame) + 1)]
    zeros, ones = (rows(dissect_frames(cuts, [1] * len(cuts), rubbish)) for rubbish in (0x00, 0xFF))
    assert zeros == ones
    for cut, seen in zip(cuts, zeros, strict=True):
        assert seen == Slow(cut, 1).seen
