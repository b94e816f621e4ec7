"""What a written value means for a column."""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime, tzinfo
from ipaddress import IPv4Network, IPv6Network, ip_network

from millrace.batch import MAPPED_BITS, address_bytes, address_text, as_ipv6, is_mapped
from millrace.lang.names import Names
from millrace.lang.nodes import Prefix, Value
from millrace.lang.numbers import size
from millrace.lang.zones import unix_seconds
from millrace.schema import Column, Kind

MAX_TEXT = 1000
_MAX_SUGGESTED = 64
_END_OF_TIME_MS = 10_413_792_000_000  # 2300: ClickHouse's DateTime64(3) ends there.

_MAC = re.compile(r"[0-9a-f]{2}([:-]?[0-9a-f]{2}){5}|[0-9a-f]{4}(\.[0-9a-f]{4}){2}", re.IGNORECASE | re.ASCII)
_COMMUNITY = re.compile(r"([0-9]{1,5}):([0-9]{1,5})")
_LARGE_COMMUNITY = re.compile(r"[0-9]+:[0-9]+:[0-9]+")
_AS = re.compile(r"(?:AS)?([0-9]{1,10})(?:\.([0-9]{1,5}))?", re.IGNORECASE | re.ASCII)
_COUNTRY_CODE = re.compile(r"[A-Za-z]{2}")

BITS = {Kind.U8: 8, Kind.U16: 16, Kind.U32: 32, Kind.U64: 64, Kind.U32_LIST: 32}
"""Width of the numbers of each kind."""


class UnreadableError(Exception):
    """A written value is none of the column's.

    Parameters
    ----------
    problem : str
        What is wrong.
    word : str
        The value.
    known : iterable of str
        What exists, if it can be listed.
    """

    def __init__(self, problem: str, word: str = "", known: Iterable[str] = ()) -> None:
        super().__init__(problem)
        self.problem = problem
        self._word = word
        self._known = known

    @property
    def suggestion(self) -> str:
        """The nearest value that exists, or empty. Sought when asked for: it takes a millisecond."""
        return nearest(self._word, self._known)


@dataclass(frozen=True, slots=True)
class Reading:
    """How the values of a column are read.

    Parameters
    ----------
    column : Column
    names : Names
    timezone : tzinfo
        Of times that name no offset.
    """

    column: Column
    names: Names
    timezone: tzinfo = UTC

    def values(self, text: str) -> tuple[Value | Prefix, ...]:
        """Values that a text stands for: one, or several where a name has several numbers.

        Raises
        ------
        UnreadableError
            If it stands for none.
        """
        match self.column.kind:
            case Kind.ADDRESS:
                return (self._prefix(text) if "/" in text else self._address(text),)
            case Kind.MAC:
                return (self._mac(text),)
            case Kind.TIME_MS:
                return (self._time(text),)
            case Kind.ENUM:
                return (self._enum(text),)
            case Kind.TEXT:
                return (self._country(text) if is_country(self.column) else self.text(text),)
            case kind:
                return tuple(self._in_bits(number, BITS[kind]) for number in self._numbers(text))

    def prefix(self, text: str) -> Prefix:
        """Subnet that a text stands for; an address is a subnet of its own. Raises as `values`."""
        return self._prefix(text) if "/" in text else subnet(ip_network(address_text(self._address(text))))

    def text(self, text: str) -> str:
        """Check a text. Raises as `values`."""
        if len(text) > MAX_TEXT:
            raise UnreadableError(f"{self.column.name}: a text may have {MAX_TEXT} characters at most")
        return text

    def _unreadable(self, text: str, wanted: str, known: Iterable[str] = ()) -> UnreadableError:
        shown = text if len(text) <= 50 else f"{text[:50]}…"
        return UnreadableError(f"{self.column.name}: {shown!r} is not {wanted}", text, known)

    def _address(self, text: str) -> bytes:
        try:
            if "%" not in text:
                return address_bytes(text)
        except ValueError:
            pass
        raise self._unreadable(text, "an address such as 192.0.2.1 or 2001:db8::1")

    def _prefix(self, text: str) -> Prefix:
        try:
            if "%" not in text:
                return subnet(ip_network(text, strict=False))
        except ValueError:
            pass
        raise self._unreadable(text, "a subnet such as 192.0.2.0/24 or 2001:db8::/32")

    def _mac(self, text: str) -> int:
        if _MAC.fullmatch(text):
            return int(re.sub(r"[:.-]", "", text), 16)
        raise self._unreadable(text, "a MAC address such as 00:1b:21:0a:0b:0c")

    def _time(self, text: str) -> int:
        try:
            ms = round(unix_seconds(datetime.fromisoformat(text.upper()), self.timezone) * 1000)
        except (ValueError, OverflowError):
            raise self._unreadable(text, "a time such as 2026-01-31T12:00:00Z") from None
        if not 0 <= ms < _END_OF_TIME_MS:
            raise UnreadableError(f"{self.column.name}: {text!r} is not between the years 1970 and 2299")
        return ms

    def _enum(self, text: str) -> str:
        for known in self.column.values:
            if known.casefold() == text.casefold():
                return known
        raise self._unreadable(text, f"one of {', '.join(self.column.values)}", self.column.values)

    def _country(self, text: str) -> str:
        code = self.names.country_code(text)
        if code or not text:
            return code or text
        if _COUNTRY_CODE.fullmatch(text):
            return text.upper()  # Sources of geography use codes of their own, such as EU.
        known = [name for country in self.names.countries for name in (country.name, *country.others)]
        raise self._unreadable(text, "a country", known)

    def _numbers(self, text: str) -> tuple[int, ...]:
        if text.isdecimal() and text.isascii() and len(text) <= 20:
            return (int(text),)
        if re.fullmatch(r"0[xX][0-9a-fA-F]{1,16}", text):
            return (int(text, 16),)
        match self.column.display:
            case "as":
                return self._as_numbers(text)
            case "port":
                return self._named(text, self.names.ports(text), "a port or a service", self._services)
            case "protocol":
                number = self.names.protocol_number(text)
                return self._named(text, _one(number), "a protocol", self.names.protocols)
            case "ethertype":
                number = self.names.ethertype_number(text)
                return self._named(text, _one(number), "an ethertype", self.names.ethertypes)
            case "community":
                return (self._community(text),)
            case "number" | "bytes" | "packets" | "bits":
                return (self._size(text),)
            case _:
                raise self._unreadable(text, "a number")

    @property
    def _services(self) -> list[str]:
        return [name for name, _ in self.names.services]

    def _named(self, text: str, numbers: tuple[int, ...], wanted: str, known: Iterable[str]) -> tuple[int, ...]:
        if numbers:
            return numbers
        raise self._unreadable(text, wanted, known)

    def _as_numbers(self, text: str) -> tuple[int, ...]:
        found = _AS.fullmatch(text)
        if found and found[2] is None:
            return (int(found[1]),)
        if found:
            high, low = int(found[1]), int(found[2])
            if max(high, low) < 1 << 16:
                return (high << 16 | low,)
            raise self._unreadable(text, "an AS number: both parts of the dotted form end at 65535")
        known = self.names.autonomous_systems.values()
        return self._named(text, self.names.as_numbers(text), "an AS number or a known name of an AS", known)

    def _community(self, text: str) -> int:
        found = _COMMUNITY.fullmatch(text)
        if found and max(int(found[1]), int(found[2])) < 1 << 16:
            return int(found[1]) << 16 | int(found[2])
        if _LARGE_COMMUNITY.fullmatch(text):
            raise UnreadableError(
                f"{self.column.name}: {text!r} is a large community; only those of 32 bits (65000:100) are stored"
            )
        raise self._unreadable(text, "a community such as 65000:100")

    def _size(self, text: str) -> int:
        try:
            return size(text, self.column)
        except ValueError as error:
            raise self._unreadable(text, str(error)) from None

    def _in_bits(self, number: int, bits: int) -> int:
        if number < 1 << bits:
            return number
        raise UnreadableError(f"{self.column.name}: {number} is more than {(1 << bits) - 1}, the largest value")


def subnet(network: IPv4Network | IPv6Network) -> Prefix:
    """A subnet; one of IPv4-mapped addresses is one of IPv4."""
    wide = as_ipv6(network)
    first, last = wide[0].packed, wide[-1].packed
    if is_mapped(first) and wide.prefixlen >= MAPPED_BITS:
        return Prefix(first, last, f"{address_text(first)}/{wide.prefixlen - MAPPED_BITS}")
    return Prefix(first, last, f"{wide[0]}/{wide.prefixlen}")


def is_country(column: Column) -> bool:
    """Whether a column holds ISO 3166 codes of countries."""
    return column.kind is Kind.TEXT and column.group == "Geography" and column.name.endswith("Country")


def nearest(word: str, known: Iterable[str]) -> str:
    """The known word that is nearest to a word, or empty."""
    by_folded = {name.casefold(): name for name in known}
    near = difflib.get_close_matches(word[:_MAX_SUGGESTED].casefold(), by_folded, n=1)
    return by_folded[near[0]] if near else ""


def _one(number: int | None) -> tuple[int, ...]:
    return () if number is None else (number,)
