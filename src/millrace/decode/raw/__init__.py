"""A slow, plain decoder that shows everything a datagram holds.

It serves ``millrace decode --raw`` and is the independent reference of the
vectorised decoders: it follows the RFCs in their order, record by record, and
shares no code with `millrace.decode.netflow`, `.sflow` and `.packet`.
"""

from millrace.decode.raw.decoder import RawDecoder
from millrace.decode.raw.templates import RawLimits

__all__ = ["RawDecoder", "RawLimits"]
