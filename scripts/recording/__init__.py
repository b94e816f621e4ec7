"""Captures of our own: how they are made, and what must come out of them.

`traffic` and `exporters` have real programs export made packets; `tshark` says what they sent. `built_*` write byte by
byte what no program sends, with the rows beside. Nothing here uses Millrace's decoders: what is expected must not come
from what is tested.
"""
