"""Columns of interface counters (sFlow counter samples), a table of their own."""

from __future__ import annotations

from millrace.schema.column import Column, Display, Kind

_GROUP = "Interface counters"


def _counter(name: str, title: str, description: str, kind: Kind = Kind.U64, display: Display = "number") -> Column:
    return Column(name, kind, title, description, _GROUP, sflow="generic interface counters", display=display)


COUNTER_COLUMNS: tuple[Column, ...] = (
    _counter("TimeReceived", "Received", "When the datagram was received.", Kind.TIME_MS, "time"),
    _counter("ExporterAddress", "Exporter", "Address of the agent.", Kind.ADDRESS, "address"),
    _counter("ObservationDomain", "Sub-agent", "sFlow sub-agent.", Kind.U32),
    _counter("IfIndex", "ifIndex", "Interface that the counters belong to.", Kind.U32),
    _counter("IfType", "ifType", "IANA ifType.", Kind.U32),
    _counter("IfSpeed", "Speed", "Speed in bit/s.", display="bits"),
    _counter("IfDirection", "Duplex", "0 unknown, 1 full duplex, 2 half duplex, 3 in, 4 out.", Kind.U8),
    _counter("IfStatus", "Status", "Bit 0: admin up; bit 1: operationally up.", Kind.U8),
    _counter("InOctets", "In bytes", "ifInOctets.", display="bytes"),
    _counter("InUcastPkts", "In unicast", "ifInUcastPkts.", display="packets"),
    _counter("InMulticastPkts", "In multicast", "ifInMulticastPkts.", display="packets"),
    _counter("InBroadcastPkts", "In broadcast", "ifInBroadcastPkts.", display="packets"),
    _counter("InDiscards", "In discards", "ifInDiscards.", display="packets"),
    _counter("InErrors", "In errors", "ifInErrors.", display="packets"),
    _counter("InUnknownProtos", "In unknown protocols", "ifInUnknownProtos.", display="packets"),
    _counter("OutOctets", "Out bytes", "ifOutOctets.", display="bytes"),
    _counter("OutUcastPkts", "Out unicast", "ifOutUcastPkts.", display="packets"),
    _counter("OutMulticastPkts", "Out multicast", "ifOutMulticastPkts.", display="packets"),
    _counter("OutBroadcastPkts", "Out broadcast", "ifOutBroadcastPkts.", display="packets"),
    _counter("OutDiscards", "Out discards", "ifOutDiscards.", display="packets"),
    _counter("OutErrors", "Out errors", "ifOutErrors.", display="packets"),
    _counter("PromiscuousMode", "Promiscuous", "ifPromiscuousMode.", Kind.U8),
)
"""Every column of the interface counters, in storage order."""
