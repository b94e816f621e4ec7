"""Where flows go beside the store: each sink takes batches of flows and knows one kind of place."""

from millrace.sinks.config import FileFormat, FileSinkSettings, SinksSettings, WhenFull
from millrace.sinks.file import FileSink
from millrace.sinks.sink import Sink

__all__ = ["FileFormat", "FileSink", "FileSinkSettings", "Sink", "SinksSettings", "WhenFull"]
