"""Raw decoding of hand-made datagrams."""

from collections.abc import Callable
from typing import Any

import pytest

from millrace.batch import DatagramBatch
from millrace.decode.raw import RawDecoder


@pytest.fixture
def show() -> Callable[..., list[dict[str, Any]]]:
    """Show datagrams that one exporter sends one after the other."""
    decoder = RawDecoder()

    def decode(*payloads: bytes, source: str = "192.0.2.1") -> list[dict[str, Any]]:
        return list(decoder.decode(DatagramBatch.from_payloads(payloads, source=source)))

    return decode


@pytest.fixture
def records(show) -> Callable[..., list[dict[str, Any]]]:
    """Records of datagrams, in order."""

    def decode(*payloads: bytes, **options: str) -> list[dict[str, Any]]:
        return [
            record
            for shown in show(*payloads, **options)
            for one in shown.get("sets", ())
            for record in one.get("records", ())
        ]

    return decode


@pytest.fixture
def reasons(show) -> Callable[..., list[str]]:
    """Reasons of the problems that datagrams show."""

    def decode(*payloads: bytes) -> list[str]:
        return [problem["reason"] for shown in show(*payloads) for problem in shown["problems"]]

    return decode
