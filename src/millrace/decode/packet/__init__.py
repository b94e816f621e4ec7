"""Dissection of sampled packet headers: bytes of frames to columns."""

from millrace.decode.packet.dissect import Dissection, dissect

__all__ = ["Dissection", "dissect"]
