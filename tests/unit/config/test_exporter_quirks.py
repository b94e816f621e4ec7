"""Settings of an exporter that concern decoding reach the decoder, by the longest prefix."""

from __future__ import annotations

from millrace.batch import address_bytes
from millrace.config import ExporterSettings, exporter_quirks, static_metadata
from millrace.decode import NO_QUIRKS, Quirks


def test_the_longest_prefix_tells_the_quirks_of_an_exporter() -> None:
    quirks = exporter_quirks(
        {
            "192.0.2.0/24": ExporterSettings(swapped_sampling_rates=True),
            "192.0.2.7": ExporterSettings(reverse_in_23_24=True),
            "2001:db8::/32": ExporterSettings(name="edge"),
        }
    )
    assert quirks(address_bytes("192.0.2.1")) == Quirks(swapped_sampling_rates=True)
    assert quirks(address_bytes("192.0.2.7")) == Quirks(reverse_in_23_24=True)
    assert quirks(address_bytes("2001:db8::1")) == NO_QUIRKS
    assert quirks(address_bytes("198.51.100.1")) == NO_QUIRKS


def test_they_do_not_disturb_what_enrichment_knows() -> None:
    metadata = static_metadata({"192.0.2.0/24": ExporterSettings(name="edge", swapped_sampling_rates=True)})
    assert metadata.exporters[metadata.find(address_bytes("192.0.2.1"))].name == "edge"
