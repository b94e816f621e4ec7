"""Where datagrams come from: UDP sockets and capture files. And back: sending them.

Nothing here looks into flow payloads; that is decoding.
"""

from millrace.receive.capture import CaptureReport, read_capture
from millrace.receive.config import ListenerSettings, ReceiveSettings
from millrace.receive.metrics import publish_receiver
from millrace.receive.replay import ReplayResult, replay
from millrace.receive.send import SendCounts, Sender
from millrace.receive.udp import SocketStats, UdpReceiver

__all__ = [
    "CaptureReport",
    "ListenerSettings",
    "ReceiveSettings",
    "ReplayResult",
    "SendCounts",
    "Sender",
    "SocketStats",
    "UdpReceiver",
    "publish_receiver",
    "read_capture",
    "replay",
]
