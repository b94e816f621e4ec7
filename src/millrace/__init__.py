"""Millrace: collect NetFlow, IPFIX and sFlow, store every flow as columns, ask anything."""

__version__ = "0.1.0"
