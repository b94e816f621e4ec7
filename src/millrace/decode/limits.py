"""What bounds the memory and the work of decoding."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Limits:
    """Bounds on the state that exporters can make the decoder keep.

    Whoever can send a datagram can forge its source, so every number here is
    a bound on what a stranger can cost. Where a bound over all exporters is
    reached, those who never sent a flow make room first, and those named in the
    configuration last; what finds no room is counted under a reason.

    Parameters
    ----------
    exporters : int
        Exporters whose state is kept, about 1 KB each plus what they announce.
        Flows of further exporters are decoded as far as no state is needed
        (NetFlow v1, v5, v7, sFlow).
    exporter_idle_s : float
        An exporter silent for this long has no more of a right to its place than a stranger.
    domains_per_exporter : int
        Observation domains (engines, source IDs) of an exporter, of all protocols; about 1 KB each. Where there are
        more, those make room that sent no flow for `exporter_idle_s`.
    domains : int
        Observation domains and UDP ports of all exporters together, beyond 8 of each; about 1 KB each. Where there
        are more, the exporter that has most gives up some of its own for those that have fewer.
    ports_per_exporter : int
        UDP ports of an exporter of which state is kept, beyond one per domain; those beyond share what they
        announce. About 600 B each. Ports come from a forger, from several devices behind one address, or from
        translators of addresses that give a device a new one now and then.
    templates_per_exporter : int
        Templates of an exporter over all its domains.
    templates : int
        Templates over all exporters; about 400 B each, their field lists not counted.
    template_bytes : int
        Bytes of all *different* field lists together, as announced. A field
        list that is in use costs about a hundred times its bytes once it is
        compiled; at most `compiled_layouts` are kept compiled.
    fields_per_template : int
        Longer templates are refused.
    compiled_layouts : int
        Field lists kept ready to execute, a few KB to some hundred KB each.
    compiled_bytes : int
        Bytes of the field lists kept ready to execute, as announced: those used least lately go.
    layout_share : float
        Part of each second (of receipt) that layouts may take beyond what the bytes of their data sets pay for;
        the costliest are left out first. Infinite: there is time for all, as with files.
    layout_burst_s : float
        Seconds of such work that may come at once after a calm time, as after a restart.
    template_lifetime_s : float
        A template not announced again for this long is forgotten (RFC 7011
        §8.4 leaves the time to the collector; the common refresh intervals are
        between 1 and 30 minutes). 0: never.
    waiting_bytes : int
        Data sets kept until their template comes, over all exporters.
    waiting_s : float
        How long such a set waits.
    options_entries : int
        Names of applications and interfaces, and sampling rates, learned from options, over all exporters; about
        500 B each.
    options_entries_per_exporter : int
        The same for one exporter.
    options_lifetime_s : float
        What options told is forgotten when it was not told again for this long; 0: never.
    text_bytes : int
        Longer texts in records are cut.
    """  # fmt: skip

    exporters: int = 10_000
    exporter_idle_s: float = 3600.0
    domains_per_exporter: int = 1024
    domains: int = 65_536
    ports_per_exporter: int = 1024
    templates_per_exporter: int = 4096
    templates: int = 100_000
    template_bytes: int = 16 << 20
    fields_per_template: int = 1024
    compiled_layouts: int = 4096
    compiled_bytes: int = 1 << 20
    layout_share: float = 0.25
    layout_burst_s: float = 1.0
    template_lifetime_s: float = 86_400.0
    waiting_bytes: int = 64 << 20
    waiting_s: float = 600.0
    options_entries: int = 500_000
    options_entries_per_exporter: int = 50_000
    options_lifetime_s: float = 7 * 86_400.0
    text_bytes: int = 512
