"""NetFlow v1, v5, v7, v9 and IPFIX: bytes and template state to columns and counts.

A batch goes through these steps, each on the whole batch at once:

1. `headers`: the header of every datagram.
2. `legacy`: records of v1, v5 and v7.
3. `sets`: the sets of every v9 and IPFIX message, in wire order.
4. `templates`: template sets, one by one; what they change is kept with the
   position in the batch from which it holds (`timeline`).
5. Every data set finds its layout, or waits for it (`waiting`).
6. `options`: options records, which may change sampling rates and names.
7. `records` and `plan`: data sets of one layout at a time, from all datagrams.
8. `biflow`: the reverse direction as rows of their own; `sequence`: what is missing.
"""

from millrace.decode.netflow.headers import HEADER_BYTES, PROTOCOLS
from millrace.decode.netflow.netflow import NetflowDecoder

__all__ = ["HEADER_BYTES", "PROTOCOLS", "NetflowDecoder"]
