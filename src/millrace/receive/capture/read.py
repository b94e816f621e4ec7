"""Reading of capture files: which container, and its datagrams."""

from __future__ import annotations

import time
from collections.abc import Collection, Iterator
from contextlib import ExitStack
from os import PathLike, fspath
from pathlib import Path
from typing import IO

from millrace.batch import DatagramBatch
from millrace.errors import SourceError
from millrace.receive.capture import hextext, pcap, pcapng
from millrace.receive.capture.datagrams import DatagramFinder
from millrace.receive.capture.frames import Frames
from millrace.receive.capture.payloads import is_ipfix, read_ipfix, read_payload
from millrace.receive.capture.report import CaptureReport
from millrace.receive.capture.stream import CaptureStream


def read_capture(
    file: str | PathLike[str] | IO[bytes],
    *,
    ports: Collection[int] | None = None,
    report: CaptureReport | None = None,
) -> Iterator[DatagramBatch]:
    """Read the UDP datagrams of a capture file, in file order.

    The container is recognised by its content, never by its name, and may be
    compressed by gzip: pcap, pcapng; IPFIX messages back to back (RFC 5655);
    one raw UDP payload, or several NetFlow v1, v5 or v7 ones; hexadecimal text
    of a packet or payload. IP fragments are joined.

    Every UDP payload is given, whatever it holds and whichever port it went
    to: captures use odd ports, and to recognise protocols is the decoder's
    work, which counts what it does not know.

    Files without packet headers say neither who sent nor when: the source is
    ``::``, port 0, and the time is the file's modification time (now, if it
    has none).

    Parameters
    ----------
    file : path or binary file
        A file is read from where it stands, forwards, and left open.
    ports : collection of int, optional
        Destination ports to keep; files without packet headers are not filtered.
    report : CaptureReport, optional
        Receives what else the file held.

    Yields
    ------
    DatagramBatch
        At most some thousand datagrams each.

    Raises
    ------
    SourceError
        If the file cannot be opened or is no capture; or, after all datagrams
        before it, at data that contradict the container's format. A file that
        ends early is no error: what there is of its last packet is given as a
        truncated datagram, and `CaptureReport.damage` says so.
    """
    report = CaptureReport() if report is None else report
    with ExitStack() as stack:
        opened, time_ns = _open(file, stack, report)
        stream = CaptureStream(opened, report)
        yield from _batches(stream, DatagramFinder(report, ports), time_ns)


def _open(file: str | PathLike[str] | IO[bytes], stack: ExitStack, report: CaptureReport) -> tuple[IO[bytes], int]:
    """The open file and the time of its payloads."""
    if not isinstance(file, str | PathLike):
        report.name = str(getattr(file, "name", "capture"))
        return file, time.time_ns()
    path = Path(fspath(file))
    report.name = str(path)
    try:
        return stack.enter_context(path.open("rb")), path.stat().st_mtime_ns
    except OSError as error:
        raise SourceError(f"{path}: cannot be opened: {error.strerror}") from error


def _batches(stream: CaptureStream, finder: DatagramFinder, time_ns: int) -> Iterator[DatagramBatch]:
    head = stream.buffer[:4]
    if head in pcap.FORMATS:
        stream.report.container = "pcap"
        yield from _found(pcap.read_pcap(stream), finder)
    elif head == pcapng.MAGIC:
        stream.report.container = "pcapng"
        yield from _found(pcapng.read_pcapng(stream), finder)
    elif is_ipfix(head):
        stream.report.container = "ipfix-stream"
        yield from read_ipfix(stream, time_ns)
    elif hextext.looks_hex(stream.buffer):
        stream.report.container = "hex"
        content = stream.whole(hextext.MAX_TEXT_BYTES)
        packets = hextext.hex_packets(content) if content is not None else None
        if not packets:
            raise hextext.hex_error(stream.report.name)
        yield from hextext.read_hex(packets, finder, time_ns)
    else:
        stream.report.container = "payload"
        yield from read_payload(stream, time_ns)


def _found(blocks: Iterator[Frames], finder: DatagramFinder) -> Iterator[DatagramBatch]:
    for frames in blocks:
        batch = finder.find(frames)
        if batch is not None:
            yield batch
    finder.finish()
