"""Questions of the console's Explore page, with how long an answer may take."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

Kind = Literal["series", "top", "sankey", "heatmap"]

ROLLED_UP_S = 0.5
"""Target for questions that rollups can answer."""

RAW_S = 3.0
"""Target for six hours of questions for which every flow is read."""

_H = 3600
_COGENT = 'InIfBoundary = external AND InIfProvider = "cogent"'
_EXTERNAL = "InIfBoundary = external"


@dataclass(frozen=True, slots=True)
class Asked:
    """A question.

    Attributes
    ----------
    name : str
    kind : Kind
        Of question: the last part of the path of the HTTP interface.
    hours : int
        Length of the range, which ends with the stored day.
    values : dict
        The question's fields apart from the range.
    target : float or None
        Seconds.
    """

    name: str
    kind: Kind
    hours: int
    values: dict[str, object]
    target: float | None = ROLLED_UP_S


def _series(name: str, hours: int = 24, target: float | None = ROLLED_UP_S, **values: object) -> Asked:
    return Asked(f"series by {name}, {hours} h", "series", hours, {"dimensions": ["SrcAS"], **values}, target)


QUESTIONS: tuple[Asked, ...] = (
    _series("SrcAS"),
    _series("SrcAS", 6),
    _series("SrcAS", 1),
    *(_series(f"SrcAS, {unit}", unit=unit) for unit in ("l2-bits/s", "packets/s", "flows/s", "in-%", "out-%", "bytes")),
    *(_series(f"SrcAS, largest {figure}", limit_by=figure) for figure in ("maximum", "last", "p95")),
    _series("SrcAS, bidirectional", bidirectional=True),
    _series("SrcAS and the hour before", 6, previous="hour"),
    _series("nothing: the total", dimensions=[]),
    _series("SrcAS of Cogent", filter=_COGENT),
    _series("EType of two AS", dimensions=["EType"], filter=f"{_EXTERNAL} AND SrcAS IN (AS15169, AS36040)"),
    _series("SrcAS, InIfProvider, DstCountry", dimensions=["SrcAS", "InIfProvider", "DstCountry"], filter=_EXTERNAL),
    _series("SrcAS of a tenant", filter='DstNetTenant = "acme"'),
    Asked("top 10 by SrcAS, 24 h", "top", 24, {"dimensions": ["SrcAS"]}),
    Asked("top 10 by ApplicationName, 24 h", "top", 24, {"dimensions": ["ApplicationName"]}),
    Asked(
        "Sankey of SrcAS, InIfProvider, InIfConnectivity, DstAS, 24 h", "sankey", 24,
        {"dimensions": ["SrcAS", "InIfProvider", "InIfConnectivity", "DstAS"], "filter": _EXTERNAL},
    ),
    Asked("heatmap of SrcAS by time, 24 h", "heatmap", 24, {"down": ["SrcAS"]}),
    Asked("heatmap of SrcAS by DstCountry, 24 h", "heatmap", 24, {"down": ["SrcAS"], "across": ["DstCountry"]}),
    _series("SrcAddr", 6, RAW_S, dimensions=["SrcAddr"]),
    _series("SrcAddr as /24 and /48", 6, RAW_S, dimensions=["SrcAddr"], truncate_v4=24, truncate_v6=48),
    _series("SrcPort", 6, RAW_S, dimensions=["SrcPort"]),
    Asked("top 10 by SrcAddr, 6 h", "top", 6, {"dimensions": ["SrcAddr"]}, RAW_S),
    Asked(
        "Sankey of SrcAS, InIfProvider, InIfConnectivity, SrcPort, 6 h", "sankey", 6,
        {"dimensions": ["SrcAS", "InIfProvider", "InIfConnectivity", "SrcPort"], "filter": _EXTERNAL}, RAW_S,
    ),
    Asked(
        "top 10 by SrcAddr over 24 h, DstPort 443 (every flow is read)", "top", 24,
        {"dimensions": ["SrcAddr"], "filter": "DstPort = 443"}, None,
    ),
)  # fmt: skip
