"""The `millrace` command: parses arguments, calls, prints."""

from __future__ import annotations

from millrace.cli.signals import hold_signals

__all__ = ["main"]


def main() -> None:
    """Run the command line.

    Signals that end a program wait from here on until a command takes them: loading the program takes a
    second or two, in which `serve` would otherwise be killed by what is to stop it.
    """
    hold_signals()
    from millrace.cli.main import main as run

    run()
