"""Which observation domains of an exporter make room for another one of its own."""

from __future__ import annotations

from collections.abc import Container, Iterator

import numpy as np

from millrace.decode.netflow.scopes import ExporterState, Ports
from millrace.decode.netflow.shares import STRANGER, standings


def spare_domains(
    exporter: ExporterState, port: int, held: Container[int], now_ns: int, idle_ns: int
) -> Iterator[Ports]:
    """Domains that sent no flow for long, those heard least lately first.

    Neither a device that numbers its domain anew at each start nor somebody who
    writes its address must use up all that it may have for ever. Where its own ports are
    configured, domains of others make room for those of its own, whatever they sent, and never the
    other way round. A domain goes with all of its ports, or stays.

    Parameters
    ----------
    exporter : ExporterState
    port : int
        From which the new domain comes.
    held : container of int
        Numbers of scopes that must not go now.
    now_ns : int
        Unix nanoseconds.
    idle_ns : int
        Whoever was silent for so long is a stranger again.
    """
    scopes, own = list(exporter.scopes.values()), exporter.trust.ports
    rows = np.array([scope.row for scope in scopes], np.int64)
    spare = standings(exporter.ledger, rows, now_ns, idle_ns) == STRANGER
    if own:
        others = np.array([scope.port.port not in own for scope in scopes], np.bool_)
        spare = others | spare if port in own else others & spare
    stay = {
        scope.ports.number
        for scope, goes in zip(scopes, spare.tolist(), strict=True)
        if not goes or scope.number in held
    }
    for at in np.argsort(exporter.ledger.column("last_seen_ns")[rows], kind="stable").tolist():
        ports = scopes[at].ports
        if ports.number not in stay:
            stay.add(ports.number)
            yield ports
