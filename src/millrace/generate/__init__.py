"""Synthetic exporters: realistic traffic, encoded as NetFlow v5, v9, IPFIX and sFlow v5.

`Generator` sends a model's traffic live, `history` gives a stretch of the past,
`LoadGenerator` sends as much as is wanted; `LoadPool` and `ExporterStream`
encode without sending.
"""

from millrace.generate.capture import write_capture
from millrace.generate.config import GenerateSettings, Mix
from millrace.generate.datagrams import Datagrams
from millrace.generate.demo import demo_as_names, demo_metadata, demo_networks
from millrace.generate.generator import Generator, Progress
from millrace.generate.history import Past, history
from millrace.generate.load import PROTOCOLS, LoadPool
from millrace.generate.loading import LoadGenerator, LoadPlan
from millrace.generate.model import Model, ModelExporter, ModelInterface, ModelNetwork, default_model
from millrace.generate.networks import prefixes
from millrace.generate.stream import ExporterStream
from millrace.generate.traffic import Traffic

__all__ = [
    "PROTOCOLS",
    "Datagrams",
    "ExporterStream",
    "GenerateSettings",
    "Generator",
    "LoadGenerator",
    "LoadPlan",
    "LoadPool",
    "Mix",
    "Model",
    "ModelExporter",
    "ModelInterface",
    "ModelNetwork",
    "Past",
    "Progress",
    "Traffic",
    "default_model",
    "demo_as_names",
    "demo_metadata",
    "demo_networks",
    "history",
    "prefixes",
    "write_capture",
]
