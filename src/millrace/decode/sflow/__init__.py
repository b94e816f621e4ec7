"""sFlow v5: datagrams to flows and interface counters."""

from millrace.decode.sflow.agents import AgentStatus
from millrace.decode.sflow.decoder import SflowDecoder

__all__ = ["AgentStatus", "SflowDecoder"]
