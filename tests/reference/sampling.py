"""Sampling rates, as records and options tell them."""

from __future__ import annotations

from typing import Any


def rate_of(fields: dict[str, Any]) -> int:
    """Rate that elements tell together, 0 if none: of several ways to tell it the largest.

    34 and 50 are the rate; 305 of (305 + 306) packets are taken; 309 of 310
    are; 311 is a probability.
    """
    rates = [fields.get("samplingInterval", 0), fields.get("samplerRandomInterval", 0)]
    taken = fields.get("samplingPacketInterval")
    if taken:
        left_out = fields.get("samplingPacketSpace")
        rates.append(taken if left_out is None else round((taken + left_out) / taken))
    size, population = fields.get("samplingSize"), fields.get("samplingPopulation")
    if size and population:
        rates.append(round(population / size))
    probability = fields.get("samplingProbability")
    if isinstance(probability, float) and 0 < probability <= 1:
        rates.append(round(1 / probability))
    return max(rates)


class Sampling:
    """Rates by selector, interface and domain of each exporter."""

    def __init__(self) -> None:
        self._rates: dict[tuple[str, int | None, str, int], int] = {}

    def learn(self, exporter: str, domain: int, record: dict[str, Any]) -> None:
        """Learn the rate that a record of options tells."""
        fields = record["scope"] | record["fields"]
        rate = rate_of(fields)
        if not rate:
            return
        for binding, ident in _bindings(record):
            self._rates[exporter, domain, binding, ident] = rate
            self._rates.setdefault((exporter, None, binding, ident), rate)

    def rate(self, exporter: str, domain: int, fields: dict[str, Any]) -> int:
        """Rate of a flow: its selector's, else its interface's, else its domain's; 0 if unknown."""
        wanted: list[tuple[str, int]] = [
            ("selector", fields[name]) for name in ("selectorId", "samplerId") if name in fields
        ]
        wanted += [("interface", fields[name]) for name in ("ingressInterface",) if name in fields]
        for binding, ident in (*wanted, ("domain", 0)):
            for where in (domain, None):
                rate = self._rates.get((exporter, where, binding, ident))
                if rate:
                    return rate
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
