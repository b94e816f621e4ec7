"""Make the captures of `tests/recorded` and their expected rows.

    .venv/bin/python scripts/make_captures.py            # those built byte by byte
    .venv/bin/python scripts/make_captures.py --record   # also those of real programs: other times, other ports
    .venv/bin/python scripts/make_captures.py --record softflowd-v9
    .venv/bin/python scripts/make_captures.py --check    # whether the built ones are what is in the folder

`--record` needs softflowd, pmacctd and Open vSwitch, whichever is recorded, and TShark, which decodes what they sent.
"""

from __future__ import annotations

import argparse
import sys

from recording import built_ipfix, built_sflow, built_times, built_v5, built_v9, exporters
from recording.files import FOLDER, Recording


def built() -> list[Recording]:
    """Every capture that is made byte by byte."""
    return [
        recording
        for module in (built_v5, built_v9, built_ipfix, built_times, built_sflow)
        for recording in module.recordings()
    ]


def differing(recordings: list[Recording]) -> list[str]:
    """Files of the folder that are not what the builders make."""
    return [
        name
        for recording in recordings
        for name, content in (
            (f"{recording.name}.pcap", recording.capture()),
            (f"{recording.name}.jsonl", recording.expected().encode()),
        )
        if not (FOLDER / name).exists() or (FOLDER / name).read_bytes() != content
    ]


def main() -> int:
    """Make what is asked for, or check it."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("only", nargs="*", help="names of captures to record; all if absent")
    parser.add_argument("--record", action="store_true", help="record real programs too")
    parser.add_argument("--check", action="store_true", help="write nothing; fail if a built capture is another")
    options = parser.parse_args()
    unknown = set(options.only) - exporters.names().keys()
    if unknown:
        parser.error(f"no such capture: {', '.join(sorted(unknown))}; there are {', '.join(exporters.names())}")
    if options.check:
        wrong = differing(built())
        for name in wrong:
            print(f"tests/recorded/{name} is not what scripts/make_captures.py makes: run it")
        return int(bool(wrong))
    recordings = built()
    if options.record:
        for name in options.only or exporters.names():
            recordings += exporters.record(name)
    for recording in recordings:
        recording.write()
        print(f"{recording.name}: {len(recording.datagrams)} datagrams, {len(recording.flows)} flows")
    return 0


if __name__ == "__main__":
    sys.exit(main())
