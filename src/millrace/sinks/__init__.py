"""Where flows go beside the store: each sink takes batches of flows and knows one kind of place."""

from millrace.sinks.config import AnySinkSettings, FileFormat, FileSinkSettings, SinkSettings, SinksSettings, WhenFull
from millrace.sinks.file import FileSink
from millrace.sinks.sink import Sink

__all__ = [
    "AnySinkSettings",
    "FileFormat",
    "FileSink",
    "FileSinkSettings",
    "Sink",
    "SinkSettings",
    "SinksSettings",
    "WhenFull",
]
