"""Sampling rates, as records and options tell them."""

from __future__ import annotations

from fractions import Fraction
from typing import Any

_MOST = 2**32 - 1

_SPACED = (
    ("samplingPacketInterval", "samplingPacketSpace"), ("samplingTimeInterval", "samplingTimeSpace"),
)  # fmt: skip
_SPACED_FLOWS = (
    ("samplingFlowInterval", "samplingFlowSpacing"), ("flowSamplingTimeInterval", "flowSamplingTimeSpacing"),
)  # fmt: skip


def rate_of(fields: dict[str, Any]) -> int:
    """Rate that elements tell together, 0 if none: of several ways to tell it the largest.

    34 and 50 are the rate; of systematic ones the part that is taken; 309 of
    310 are; 311 is a probability; a hash selects a part of its range. Flows
    selected among flows of selected packets have both.
    """
    rates: list[float | Fraction] = [fields.get("samplingInterval", 0), fields.get("samplerRandomInterval", 0)]
    if "samplingPacketSpace" not in fields:
        rates.append(fields.get("samplingPacketInterval", 0))
    rates += _spaced(fields, _SPACED)
    of_flows: list[float | Fraction] = [0, *_spaced(fields, _SPACED_FLOWS)]
    method = fields.get("flowSelectorAlgorithm")
    size, population = fields.get("samplingSize"), fields.get("samplingPopulation")
    if size and population:
        (of_flows if method == 3 else rates).append(Fraction(population, size))
    probability = fields.get("samplingProbability")
    if isinstance(probability, float) and 0 < probability <= 1:
        (of_flows if method == 4 else rates).append(1 / probability)
    (of_flows if method == 6 else rates).append(_hashed(fields))
    packets = max(_whole(rate) for rate in rates)
    flows = max(_whole(rate) for rate in of_flows)
    return min(max(packets, 1) * max(flows, 1), _MOST) if packets or flows else 0


def _whole(rate: float | Fraction) -> int:
    """The nearest number; halves go up for ratios of integers."""
    whole = int(rate + Fraction(1, 2)) if isinstance(rate, int | Fraction) else round(rate)
    return min(whole, _MOST)


def _spaced(fields: dict[str, Any], pairs: tuple[tuple[str, str], ...]) -> list[Fraction]:
    return [
        Fraction(fields[taken] + fields[left_out], fields[taken])
        for taken, left_out in pairs
        if fields.get(taken) and left_out in fields
    ]


def _hashed(fields: dict[str, Any]) -> float | Fraction:
    if "hashOutputRangeMin" not in fields or "hashOutputRangeMax" not in fields:
        return 0
    whole = fields["hashOutputRangeMax"] - fields["hashOutputRangeMin"] + 1
    selected = 0
    for suffix in ("", *(f"#{n}" for n in range(2, 50))):
        low, high = (fields.get(f"hashSelectedRange{end}{suffix}") for end in ("Min", "Max"))
        if low is not None and high is not None and high >= low:
            selected += high - low + 1
    return whole / selected if 0 < selected <= whole else 0


class Sampling:
    """Rates by selector, interface and domain of each port of each exporter."""

    def __init__(self) -> None:
        self._rates: dict[tuple[str, int], dict[tuple[int | None, str, int], int]] = {}

    def learn(self, sender: tuple[str, int], domain: int, record: dict[str, Any]) -> None:
        """Learn the rate that a record of options tells."""
        rate = rate_of(record["scope"] | record["fields"])
        if not rate:
            return
        about = record["scope"].get("observationDomainId") or domain
        for binding, ident in _bindings(record):
            self._rates.setdefault(sender, {})[about, binding, ident] = rate

    def rate(self, sender: tuple[str, int], domain: int, fields: dict[str, Any]) -> int:
        """Rate of a flow: its selector's, else its interface's, else its domain's; 0 if unknown.

        What a domain of a port was not told comes from its other domains, then
        from other ports, as long as they agree.
        """
        selector = next((fields[name] for name in ("selectorId", "samplerId") if fields.get(name)), 0)
        wanted: list[tuple[str, int]] = [("selector", selector)] if selector else []
        sides = ("ingressInterface", "egressInterface")
        for name in sides[::-1] if fields.get("flowDirection") == 1 else sides:
            wanted += [("interface", fields[name])] if name in fields else []
        for binding, ident in (*wanted, ("domain", 0)):
            for same_port, same_domain in ((True, True), (True, False), (False, True), (False, False)):
                rates = {
                    rate
                    for (address, port), told in self._rates.items()
                    for (where, *bound), rate in told.items()
                    if address == sender[0] and bound == [binding, ident]
                    and (port == sender[1] or not same_port) and (where == domain or not same_domain)
                }  # fmt: skip
                if len(rates) == 1:
                    return rates.pop()
        return 0


def _bindings(record: dict[str, Any]) -> list[tuple[str, int]]:
    """What a rate holds for."""
    scope, fields = record["scope"], record["scope"] | record["fields"]
    for name in ("selectorId", "samplerId"):
        if name in fields:
            return [("selector", fields[name])]
    for name in ("interface", "ingressInterface"):
        if name in scope:
            return [("interface", scope[name])]
    return [("domain", 0)]
