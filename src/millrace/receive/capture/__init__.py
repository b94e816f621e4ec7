"""Capture files as a source of datagrams."""

from millrace.receive.capture.read import read_capture
from millrace.receive.capture.report import CaptureReport

__all__ = ["CaptureReport", "read_capture"]
