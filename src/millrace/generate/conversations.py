"""Who talks to whom about what, drawn from a model: the part of traffic that needs no column names."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from millrace.batch.arrays import I64, AnyArray, Bool
from millrace.generate import applications
from millrace.generate.curve import F64, draw_times, intensity
from millrace.generate.model import Model
from millrace.generate.networks import NETWORKS, RemoteHosts

WE_SERVE = 0.22
"""Share of flows whose server is ours."""

DOWN = 0.58
"""Share of flow records that go from server to client."""

CLIENTS, SERVERS, REMOTE_HOSTS = 220, 24, 1000
BACKUP_HOST, VICTIM_HOST = 10, 7
BURST_PORT = 123
BURST_PACKET = 468
"""Bytes of an IP packet of NTP amplification (monlist)."""

_AMAZON = next(index for index, network in enumerate(NETWORKS) if network.asn == 16509)
_APPS = applications.cumulative_shares()
_HTTPS = 0


@dataclass(slots=True)
class Conversations:
    """Arrays of shape (n,), a row per flow record, sorted by time.

    Attributes
    ----------
    time_ms : Unix milliseconds
    exporter : index into the model's exporters
    network : index into `NETWORKS`
    application : index into `applications.APPLICATIONS`
    local_host, remote_host : numbers of hosts
    local_server : whether the server is ours
    inbound : whether packets come from the remote host
    down : whether packets come from the server
    backup, burst : whether the flow is part of a scenario
    """

    time_ms: I64
    exporter: I64
    network: I64
    application: I64
    local_host: I64
    remote_host: I64
    local_server: Bool
    inbound: Bool
    down: Bool
    backup: Bool
    burst: Bool


def draw(
    model: Model, remote: RemoteHosts, rng: np.random.Generator, start_ms: int, stop_ms: int, rows: int, first: int
) -> Conversations:
    """Draw `rows` flow records in a range of Unix milliseconds, of which `first` were drawn before.

    Who talks to whom is drawn evenly, not independently: few records stand for the traffic of many people, whose sum
    is steadier than so few independent draws.
    """
    time_ms = draw_times(model, rng, start_ms, stop_ms, rows)
    even = _even(first, rows)
    streams = intensity(model, time_ms).streams
    limits = np.cumsum(streams, axis=1)
    stream = (limits < (even[0] * limits[:, -1])[:, None]).sum(axis=1)
    count = len(model.exporters)
    backup, burst = stream == count, stream == count + 1
    local_server: Bool = even[1] < WE_SERVE
    down: Bool = even[2] < DOWN
    drawn = Conversations(
        time_ms,
        # The scenarios happen at the first two exporters.
        np.where(backup, 0, np.where(burst, min(1, count - 1), stream)),
        _networks(remote, even[3], local_server | burst),
        np.searchsorted(_APPS, even[4]),
        _top_heavy(rng, np.where(local_server, SERVERS, CLIENTS)),
        _top_heavy(rng, np.full(rows, REMOTE_HOSTS)),
        local_server,
        down != local_server,
        down,
        backup,
        burst,
    )
    _write_backup(drawn)
    _write_burst(drawn, rng)
    return drawn


_RATIO = 1.1347241384015194
"""The root of x⁶ = x + 1, whose negative powers are the steps of an even sequence in five dimensions."""


def _even(first: int, rows: int) -> F64:
    """Numbers in [0, 1) that fill five dimensions evenly (additive recurrence), from `first` on, shape (5, n)."""
    steps = np.float64(_RATIO) ** -np.arange(1, 6, dtype=np.float64)
    even: F64 = (steps[:, None] * np.arange(first + 1, first + rows + 1, dtype=np.float64)) % 1.0
    return even


def _networks(remote: RemoteHosts, draws: F64, eyeballs: Bool) -> I64:
    return np.where(
        eyeballs, np.searchsorted(remote.eyeballs, draws), np.searchsorted(remote.content, draws)
    )  # fmt: skip


def _top_heavy(rng: np.random.Generator, size: AnyArray) -> I64:
    """Numbers below `size`, number k about as often as 1 / (k + 1) (Zipf's law)."""
    return np.exp(rng.random(len(size)) * np.log(size)).astype(np.int64)


def _write_backup(drawn: Conversations) -> None:
    """A server of ours sends to Amazon, and gets acknowledgements."""
    chosen = drawn.backup
    drawn.network[chosen] = _AMAZON
    drawn.application[chosen] = _HTTPS
    drawn.local_host[chosen] = BACKUP_HOST
    drawn.remote_host[chosen] = 3
    drawn.local_server[chosen] = False
    drawn.inbound[chosen] = drawn.down[chosen]


def _write_burst(drawn: Conversations, rng: np.random.Generator) -> None:
    """Many reflectors answer to one host of ours."""
    chosen = drawn.burst
    drawn.local_host[chosen] = VICTIM_HOST
    drawn.remote_host[chosen] = rng.integers(0, REMOTE_HOSTS, int(chosen.sum()))
    drawn.local_server[chosen] = True
    drawn.inbound[chosen] = True
    drawn.down[chosen] = True
