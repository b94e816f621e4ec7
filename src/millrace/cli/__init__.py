"""The `millrace` command: parses arguments, calls, prints."""

from millrace.cli.main import main

__all__ = ["main"]
