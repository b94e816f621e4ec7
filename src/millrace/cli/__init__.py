"""The `millrace` command: parses arguments, calls, prints."""

from __future__ import annotations

import gc

from millrace.cli.signals import hold_signals

__all__ = ["main"]


def main() -> None:
    """Run the command line.

    Signals that end a program wait from here on until a command takes them: loading the program takes a
    second or two, in which `serve` would otherwise be killed by what is to stop it.

    What is loaded stays: looking through it for garbage, again and again, would take a tenth of that time.
    """
    hold_signals()
    gc.disable()
    from millrace.cli.main import main as run

    gc.freeze()
    gc.enable()
    run()
