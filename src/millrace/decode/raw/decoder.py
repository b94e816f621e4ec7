"""The raw decoder: from datagrams to everything they say."""

from __future__ import annotations

from collections.abc import Iterator

from millrace.batch import DatagramBatch, address_text
from millrace.decode.raw.cursor import Cursor, Json, Problems
from millrace.decode.raw.legacy import HEADERS, read_legacy
from millrace.decode.raw.netflow import IPFIX, V9, MessageReader
from millrace.decode.raw.sflow import read_sflow
from millrace.decode.raw.templates import RawLimits, TemplateStore
from millrace.decode.raw.values import iso_time

_SFLOW_V5 = (0).to_bytes(2, "big") + (5).to_bytes(2, "big")


class RawDecoder:
    """Shows datagrams of NetFlow v1, v5, v7, v9, IPFIX and sFlow v5 in full.

    Templates are kept by exporter address, port, version and observation domain, for
    as long as the decoder lives. No bytes make it raise; what is wrong is told
    under ``problems`` with its reason and its offset in the datagram.

    Parameters
    ----------
    limits : RawLimits, optional
        Bounds on memory and depth.
    """

    def __init__(self, limits: RawLimits | None = None) -> None:
        self._limits = limits or RawLimits()
        self._store = TemplateStore(self._limits.template_fields)

    def decode(self, batch: DatagramBatch) -> Iterator[Json]:
        """Show each datagram of a batch, in order.

        Yields
        ------
        dict
            Ready for JSON. ``exporter``, ``port``, ``received``, ``length`` and
            ``protocol``; ``header``; then ``records`` (NetFlow v1, v5, v7),
            ``sets`` (v9, IPFIX) or ``samples`` (sFlow); ``problems``.
        """
        for row in range(len(batch)):
            payload = batch.payload(row)
            exporter, port = batch.source[row].tobytes(), int(batch.source_port[row])
            yield {
                "exporter": address_text(exporter),
                "port": port,
                "received": iso_time(*divmod(int(batch.time_ns[row]), 1_000_000_000), 9),
                "length": len(payload),
            } | self.decode_payload(payload, exporter, port)

    def decode_payload(self, payload: bytes, exporter: bytes, port: int = 0) -> Json:
        """Show one datagram.

        Parameters
        ----------
        payload : bytes
            UDP payload.
        exporter : bytes
            Sixteen-byte address of the sender.
        port : int
            Its UDP port.
        """
        problems = Problems()
        shown = self._dispatch(payload, exporter, port, problems)
        shown["problems"] = problems.found
        if problems.unlisted:
            shown["problems_unlisted"] = problems.unlisted
        return shown

    def _dispatch(self, payload: bytes, exporter: bytes, port: int, problems: Problems) -> Json:
        cursor = Cursor(payload)
        version = int.from_bytes(payload[:2], "big") if len(payload) >= 2 else None
        if version in HEADERS:
            return {"protocol": f"netflow-v{version}"} | read_legacy(cursor, version, problems)
        if version in (V9, IPFIX):
            reader = MessageReader(exporter, port, self._store, self._limits, problems)
            return {"protocol": "ipfix" if version == IPFIX else "netflow-v9"} | reader.read(cursor, version)
        if payload[:4] == _SFLOW_V5:
            return {"protocol": "sflow-v5"} | read_sflow(cursor, self._limits, problems)
        problems.add("version", 0, f"no protocol known here begins with {payload[:4].hex() or 'nothing'}")
        return {"protocol": "unknown", "data": payload.hex()}
